create function interlock.store_dependencies(p_jobs jsonb, p_ordinals bigint[], p_ids text[], p_deferred integer[], p_now timestamptz) returns void
language plpgsql
set search_path = ''
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  v_parents text[];
begin
  -- Of a job that is not deferred all parents had ended, which is for ever. Of one that is, none is settled here, not even
  -- one that has ended by now: the decision is made in one place, under the child's lock, by tell_dependents().
  with asked as materialized (
    select distinct n.id as job_id, d.parent_id, e.job, e.ordinal = any (p_deferred) as is_deferred
    from jsonb_array_elements(p_jobs) with ordinality as e (job, ordinal)
    join unnest(p_ordinals, p_ids) as n (ordinal, id) on n.ordinal = e.ordinal
    cross join lateral jsonb_array_elements_text(e.job -> 'depends_on') as d (parent_id)
    where e.job ? 'depends_on'
  ),
  stored as (
    insert into interlock.job_dependencies (job_id, parent_id, needs, parent_outcome, created_at, settled_at, starts, ttl_seconds)
    select a.job_id, a.parent_id, coalesce(a.job ->> 'depends_on_outcome', 'success'),
      case when not a.is_deferred then h.outcome end, p_now, case when not a.is_deferred then p_now end,
      a.job -> 'start' is distinct from 'false' and (a.job ->> 'permission_level' is distinct from 'human_required' or a.job ? 'approved_by'), (a.job ->> 'ttl_seconds')::double precision
    from asked as a
    left join lateral (
      select t.outcome
      from interlock.task_history as t
      where t.job_id = a.parent_id
      order by t.finished_at desc
      limit 1
    ) as h on true
    returning job_dependencies.parent_id, job_dependencies.parent_outcome
  )
  select array_agg(distinct s.parent_id::text)
  into v_parents
  from stored as s
  where s.parent_outcome is null;

  -- Those of the batch itself are ours alone until we commit. The others are not locked, and so nobody waits: they are told
  -- of their children by settle_dependents().
  update interlock.jobs as j
  set has_children = true
  where j.id = any (v_parents)
    and j.id = any (p_ids);
  insert into interlock.job_dependency_touches (parent_id)
  select u.id
  from unnest(v_parents) as u (id)
  where u.id <> all (p_ids)
  order by u.id;
end
$$;

comment on function interlock.store_dependencies(jsonb, bigint[], text[], integer[], timestamptz) is
  'Writes down what the jobs of a batch, just inserted under these ids (by their places in it; one whose unique_key another job has was not), depend on. Insert-only, but for the rows of the batch itself: a parent of another transaction is neither locked nor written to.';
