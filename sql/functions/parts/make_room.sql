create function interlock.make_room(p_jobs jsonb, p_known jsonb, p_actor text) returns text[]
language plpgsql
set search_path = ''
as $$
declare
  v_limit record;
  v_scopes text[];
  v_unfinished bigint;
  v_over bigint;
  v_what text;
begin
  perform interlock.check_isolation();
  v_scopes := array(
    select b.scope
    from interlock.backlog_limits as b
    where b.scope = 'all'
      or b.scope in (
        select unnest(array['task:' || (e.job ->> 'task'), 'queue:' || coalesce(e.job ->> 'queue', interlock.queue_of_priority(interlock.priority_number(e.job -> 'priority')))])
        from jsonb_array_elements(p_jobs) with ordinality as e (job, ordinal)
        where not p_known ? e.ordinal::text
      )
  );
  -- Whoever counts and then enqueues must not be overtaken between the two. Only those who are limited by the same wait here,
  -- until the first has committed.
  perform pg_advisory_xact_lock(k.key)
  from (
    select distinct interlock.lock_key('backlog of ' || s.scope) as key
    from unnest(v_scopes) as s (scope)
    order by 1
  ) as k;

  -- In a later statement than the locks. The narrowest first: what is dropped there makes room in the wider ones.
  for v_limit in
    select b.scope, b.max_unfinished, b.when_full, b.refuse_after_wait_seconds, b.uncounted_jobs, b.updated_at, n.new_jobs
    from interlock.backlog_limits as b
    cross join lateral (
      select count(*) as new_jobs
      from jsonb_array_elements(p_jobs) with ordinality as e (job, ordinal)
      where not p_known ? e.ordinal::text
        and b.scope in ('all', 'task:' || (e.job ->> 'task'), 'queue:' || coalesce(e.job ->> 'queue', interlock.queue_of_priority(interlock.priority_number(e.job -> 'priority'))))
    ) as n
    where b.scope = any (v_scopes)
      and n.new_jobs > 0
    order by case when starts_with(b.scope, 'task:') then 1 when starts_with(b.scope, 'queue:') then 2 else 3 end, b.scope
  loop
    v_what := case when v_limit.scope = 'all' then 'the system' else replace(v_limit.scope, ':', ' ') end;
    if v_limit.refuse_after_wait_seconds is not null then
      if interlock.longest_agent_wait(substr(v_limit.scope, 7)) > v_limit.refuse_after_wait_seconds * interval '1 second'
        and not (select q.is_paused from interlock.queues as q where q.name = substr(v_limit.scope, 7)) then
        raise exception using
          errcode = 'IL007',
          message = format('%s is overloaded: its next job has waited for an agent for more than %s s', v_what, v_limit.refuse_after_wait_seconds),
          column = 'queue',
          hint = 'Try again later, or add agents.';
      end if;
    end if;
    continue when v_limit.max_unfinished is null;
    v_unfinished := interlock.count_unfinished(v_limit.scope, true);
    -- What was enqueued while the limit was being set is not seen at first: for a minute all of them are looked for.
    if v_limit.uncounted_jobs > 0 or v_limit.updated_at > interlock.clock() - interval '1 minute' then
      v_over := v_unfinished + v_limit.uncounted_jobs + v_limit.new_jobs - v_limit.max_unfinished;
      if v_over > 0 or v_limit.updated_at > interlock.clock() - interval '1 minute' then
        v_limit.uncounted_jobs := interlock.count_unfinished(v_limit.scope, false);
        update interlock.backlog_limits as b
        set uncounted_jobs = v_limit.uncounted_jobs
        where b.scope = v_limit.scope
          and b.uncounted_jobs <> v_limit.uncounted_jobs;
      end if;
      v_unfinished := v_unfinished + v_limit.uncounted_jobs;
    end if;
    v_over := v_unfinished + v_limit.new_jobs - v_limit.max_unfinished;
    continue when v_over <= 0;
    if v_limit.when_full = 'drop_oldest' and v_limit.new_jobs <= v_limit.max_unfinished then
      continue when interlock.drop_oldest(v_limit.scope, v_over,
        format('dropped for a newer job: %s is full (%s unfinished jobs)', v_what, v_limit.max_unfinished), p_actor) = v_over;
    end if;
    raise exception using
      errcode = 'IL007',
      message = format('%s is full: %s of at most %s jobs are unfinished', v_what, v_unfinished, v_limit.max_unfinished),
      column = case when starts_with(v_limit.scope, 'task:') then 'task' else 'queue' end,
      hint = case when v_limit.new_jobs > v_limit.max_unfinished then 'So many jobs at once never find room.' else 'Try again when some have ended.' end;
  end loop;
  return v_scopes;
end
$$;

comment on function interlock.make_room(jsonb, jsonb, text) is
  'For jobs to be enqueued where something is limited (backlog_limits): refuses them where there is no room, or deletes the oldest that wait for them; refuses them too where their queue takes none while its next in line has waited for an agent for too long. Returns the limits that apply to any of them. The second argument names those that will not be enqueued after all (settle_keys()). A job sent back from the dead letters is counted, but not refused: somebody decided that.
Locks: the limits that apply to these jobs, in the order of the locks, until the end of the transaction: so that enqueuers of one limited queue or task wait for each other, and a limit is never exceeded; then rows of waiting jobs, SKIP LOCKED. Raises IL007 with the field, IL010.';
