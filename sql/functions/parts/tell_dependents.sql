create function interlock.tell_dependents(p_parent_ids text[], p_limit integer)
returns table (left_over text[], told integer)
language plpgsql
set search_path = ''
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  v_now timestamptz := interlock.clock();
  v_id text;
  v_status text;
  v_outcome text;
  v_children text[];
  v_deferred text[];
  v_reachable text[];
  v_cancelled text[];
  v_ready text[] := '{}';
begin
  left_over := '{}';
  told := 0;
  foreach v_id in array p_parent_ids loop
    if told >= p_limit then
      left_over := left_over || v_id;
      continue;
    end if;
    select j.status into v_status from interlock.jobs as j where j.id = v_id for no key update skip locked;
    if found then
      -- From here on, whoever ends it finds the flag in the row that it deletes.
      update interlock.jobs as j set has_children = true where j.id = v_id and j.has_children is null;
      continue when v_status <> 'failed';
      v_outcome := 'failed';
    elsif exists (select from interlock.jobs as j where j.id = v_id) then
      -- Somebody is about to change it, perhaps to end it.
      left_over := left_over || v_id;
      continue;
    else
      v_outcome := coalesce((
        select t.outcome
        from interlock.task_history as t
        where t.job_id = v_id
        order by t.finished_at desc
        limit 1
      ), 'deleted');
      -- A dead letter that was deleted has ended twice, and the second is what counts; at one instant of a clock, too.
      if v_outcome = 'failed' then
        v_outcome := 'deleted';
      end if;
    end if;

    v_children := array(
      select d.job_id
      from interlock.job_dependencies as d
      where d.parent_id = v_id
        and d.parent_outcome is null
        -- A dead letter may be requeued yet, and then complete: only its deletion is the end of those that need its success.
        and (v_outcome <> 'failed' or d.needs = 'any')
      order by d.parent_id, d.job_id
      limit p_limit - told
    );
    continue when v_children = '{}';
    -- First the children's rows, then, in later statements, what is known of their parents: of two last parents that end at
    -- the same moment, whoever has the child's row second sees what the first has written, or does not get it and comes back.
    v_deferred := array(
      select j.id
      from interlock.jobs as j
      where j.id = any (v_children)
        and j.status = 'deferred'
      order by j.id
      for no key update skip locked
    );
    v_reachable := array(
      select u.id
      from unnest(v_children) as u (id)
      where u.id = any (v_deferred)
        or not exists (select from interlock.jobs as j where j.id = u.id and j.status = 'deferred')
    );
    update interlock.job_dependencies as d
    set parent_outcome = v_outcome,
        settled_at = v_now
    where d.parent_id = v_id
      and d.job_id = any (v_reachable);
    told := told + cardinality(v_reachable);
    if cardinality(v_reachable) < cardinality(v_children) or told >= p_limit then
      left_over := left_over || v_id;
    end if;
    if v_outcome <> 'completed' then
      v_cancelled := array(
        select d.job_id
        from interlock.job_dependencies as d
        where d.job_id = any (v_deferred)
          and d.parent_id = v_id
          and d.needs = 'success'
      );
      if v_cancelled <> '{}' then
        perform interlock.end_jobs(v_cancelled, 'cancelled', v_now, format('it depends on job %s, which was %s', v_id, v_outcome), null);
      end if;
    end if;
    v_ready := v_ready || array(
      select j.id
      from interlock.jobs as j
      where j.id = any (v_deferred)
        and not exists (
          select
          from interlock.job_dependencies as d
          where d.job_id = j.id
            and d.parent_outcome is null
        )
    );
  end loop;
  perform interlock.start_deferred(v_ready, v_now);
  return next;
end
$$;

comment on function interlock.tell_dependents(text[], integer) is
  'Tells up to p_limit children what became of these parents. A parent that lives is told that it has children. Of one that has ended each child is settled: cancelled where it needed another end, with a reason that names the parent; started (pending, scheduled, paused) where this was the last one it waited for. Returns the parents to come back for (a child or the parent is locked by somebody, or there are more), and how many children were told.
Locks, all of them SKIP LOCKED: a parent''s row, its children''s rows by id; it waits for nobody, so two who meet cannot deadlock whatever they hold. What ends in here only leaves a touch: a chain is walked by the caller''s next round and not by recursion.';
