create function interlock.change_jobs(
  p_change text, p_filter jsonb, p_dry_run boolean default false, p_after text default '', p_limit integer default 500,
  p_priority double precision default null, p_reason text default null, p_actor text default null
) returns table (changed integer, asked integer, busy integer, examples text[], next_after text)
language plpgsql
set search_path = ''
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  -- How many jobs one piece looks at: what does not match costs too, and no piece may take long.
  c_window constant integer := 5000;
  v_now timestamptz := interlock.clock();
  v_wrong record;
  v_allowed text[];
  v_statuses text[];
  v_seen text[];
  v_wanted text[];
  v_locked text[];
  v_held text[];
begin
  if p_change is null or p_change not in ('cancel', 'requeue', 'delete', 'priority') then
    raise exception using errcode = 'IL005', message = 'change must be cancel, requeue, delete or priority', column = 'change';
  elsif p_limit is null or p_limit not between 1 and 1000 then
    raise exception using errcode = 'IL005', message = 'limit must be 1 to 1000', column = 'limit';
  elsif p_dry_run is null then
    raise exception using errcode = 'IL005', message = 'dry_run must be true or false', column = 'dry_run';
  elsif (p_change = 'priority') is distinct from (p_priority is not null and p_priority between 0 and 3) then
    raise exception using
      errcode = 'IL005',
      message = case when p_change = 'priority' then 'priority must be a number from 0 (critical) to 3 (low)' else 'priority goes with the change of priority' end,
      column = 'priority';
  end if;
  select w.field, w.problem, w.code into v_wrong from interlock.wrong_filter(p_filter) as w;
  if found then
    raise exception using errcode = v_wrong.code, message = v_wrong.problem, column = v_wrong.field;
  end if;
  v_allowed := case p_change
    when 'cancel' then array['scheduled', 'deferred', 'paused', 'pending', 'assigned', 'running']
    when 'requeue' then array['failed', 'scheduled']
    when 'delete' then array['failed', 'scheduled', 'deferred', 'paused', 'pending']
    else array['scheduled', 'deferred', 'paused', 'pending']
  end;
  v_statuses := case
    when p_filter ? 'status' then array(select s from pg_catalog.jsonb_array_elements_text(p_filter -> 'status') as s)
    when p_change in ('requeue', 'delete') then array['failed']
    else v_allowed
  end;
  if not v_statuses <@ v_allowed then
    raise exception using
      errcode = 'IL005',
      message = pg_catalog.format('%s is for jobs that are %s', p_change, pg_catalog.array_to_string(v_allowed, ', ')),
      column = 'status';
  end if;

  -- The next jobs by id. The few that an index knows are found there; a user's own stand apart from a million of another's.
  if v_statuses = array['failed'] then
    v_seen := array(select j.id::text from interlock.jobs as j where j.status = 'failed' and j.id > p_after order by j.id limit c_window);
  elsif p_filter ? 'user' then
    v_seen := array(
      select j.id::text
      from interlock.jobs as j
      where j.user_name = p_filter ->> 'user'
        and j.id > p_after
      order by j.id
      limit c_window
    );
  else
    v_seen := array(select j.id::text from interlock.jobs as j where j.id > p_after order by j.id limit c_window);
  end if;
  v_wanted := array(
    select j.id::text
    from interlock.jobs as j
    where j.id = any (v_seen)
      and interlock.can_change(j, p_change, v_statuses, p_priority)
      and interlock.matches_filter(j, p_filter, v_now)
    order by j.id
    limit p_limit
  );
  next_after := case
    when pg_catalog.cardinality(v_wanted) = p_limit then v_wanted[p_limit]
    when pg_catalog.cardinality(v_seen) = c_window then v_seen[c_window]
  end;
  examples := v_wanted[1:10];
  busy := 0;
  asked := 0;
  if p_dry_run then
    select count(*) filter (where j.held is null), count(*) filter (where j.held is not null)
    into changed, asked
    from interlock.jobs as j
    where j.id = any (v_wanted);
    return next;
    return;
  end if;

  -- What is locked by somebody's uncommitted change is left to them: nobody waits here, so nobody waits in a circle.
  with locked as materialized (
    select j.id::text as id, j.held is not null as is_held
    from interlock.jobs as j
    where j.id = any (v_wanted)
      and interlock.can_change(j, p_change, v_statuses, p_priority)
    order by j.id
    for no key update of j skip locked
  )
  select
    coalesce(pg_catalog.array_agg(l.id) filter (where not l.is_held), '{}'),
    coalesce(pg_catalog.array_agg(l.id) filter (where l.is_held), '{}')
  into v_locked, v_held
  from locked as l;
  busy := (
    select count(*)
    from interlock.jobs as j
    where j.id = any (v_wanted)
      and j.id <> all (v_locked || v_held)
      and interlock.can_change(j, p_change, v_statuses, p_priority)
  );
  changed := pg_catalog.cardinality(v_locked);
  -- Those that were changed: one that somebody else was faster to cancel is none of them.
  examples := array(select u.id from pg_catalog.unnest(v_locked || v_held) as u (id) order by u.id collate "C" limit 10);
  if v_locked <> '{}' then
    if p_change = 'requeue' then
      perform interlock.requeue_jobs(v_locked, v_now, p_reason, p_actor);
    elsif p_change = 'priority' then
      perform interlock.reprioritise(v_locked, p_priority, v_now, p_reason, p_actor);
    else
      perform interlock.end_jobs(v_locked, case p_change when 'cancel' then 'cancelled' else 'deleted' end, v_now, p_reason, p_actor);
    end if;
  end if;
  if v_held <> '{}' then
    asked := interlock.ask_to_stop(v_held, v_now, p_reason, p_actor);
  end if;
  return next;
end
$$;

comment on function interlock.change_jobs(text, jsonb, boolean, text, integer, double precision, text, text) is
  'Changes the jobs that a filter names, a bounded piece of them a call: cancel (what runs is asked to stop), requeue (dead letters; with status scheduled also what waits for its time), delete (dead letters, or the waiting ones that status names), priority (what waits). The filter: status (an array), user, project, task, queue, model, agent, text, error, older_than_seconds, newer_than_seconds, see matches_filter(); {"all": true} where nothing is to restrict. A call goes through the next 5,000 jobs by id after p_after and changes up to p_limit; the caller comes back with next_after, in a transaction of its own each, until that is null. Returns how many were changed, how many that run were asked to stop, how many that matched were busy (locked by somebody: left as they are; a second pass finds them), and the ids of the first ten. With p_dry_run nothing is changed or locked, and it counts what would be. What a job becomes while the pieces go by is not looked at again: a job that is enqueued behind them with a greater id is found, one with a smaller id is not.
Locks: the jobs'' rows, by id, SKIP LOCKED: it waits for nobody, so that it can stand in no circle with those who lock agents and jobs in their order. Nothing else: insert-only towards the scheduler. Each job is logged as by cancel_job(), requeue_job(), delete_job(), set_priority(). Raises IL005, IL006 where somebody enqueued a job with the unique_key of one that is requeued just now, IL012 queue_not_found.';
