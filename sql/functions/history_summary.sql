create function interlock.history_summary(
  p_by text, p_since timestamptz default null, p_until timestamptz default null,
  p_queue text default null, p_task text default null, p_user text default null, p_project text default null, p_limit integer default 100
) returns table (
  key text, ended bigint, completed bigint, failed bigint, cancelled bigint, expired bigint, deleted bigint, completed_per_hour double precision,
  avg_wait_seconds double precision, p50_wait_seconds double precision, p95_wait_seconds double precision, max_wait_seconds double precision,
  avg_run_seconds double precision, p50_run_seconds double precision, p95_run_seconds double precision, max_run_seconds double precision,
  total_run_seconds double precision, avg_attempts double precision
)
language plpgsql
set search_path = ''
set jit = off
as $$
declare
  v_until timestamptz := coalesce(p_until, interlock.clock());
  v_since timestamptz := coalesce(p_since, v_until - interval '1 day');
  v_hours double precision := case p_by when 'hour' then 1 when 'day' then 24 else extract(epoch from v_until - v_since) / 3600 end;
begin
  if p_by is null or p_by not in ('task', 'user', 'model', 'agent', 'queue', 'project', 'hour', 'day') then
    raise exception using errcode = 'IL005', message = 'by must be task, user, model, agent, queue, project, hour or day', column = 'by';
  elsif v_since >= v_until then
    raise exception using errcode = 'IL005', message = 'since must be before until', column = 'since';
  elsif v_until - v_since > interval '366 days' then
    raise exception using errcode = 'IL005', message = 'since must be at most 366 days before until', column = 'since', hint = 'Ask for a year at a time.';
  elsif p_limit is null or p_limit not between 1 and 10000 then
    raise exception using errcode = 'IL005', message = 'limit must be from 1 to 10000', column = 'limit';
  end if;
  return query
  with ends as (
    select t.outcome, t.attempts, t.task, t.user_name, t.resources, t.agent_id, t.queue, t.project, t.finished_at,
      -- Of a job that was retried, its last assignment says nothing of its wait.
      case when t.attempts = 1 then extract(epoch from t.assigned_at - t.queued_at)::double precision end as waited,
      case when t.outcome in ('completed', 'failed') then extract(epoch from t.finished_at - t.started_at)::double precision end as ran
    from interlock.task_history as t
    where t.finished_at >= v_since
      and t.finished_at < v_until
      -- Manual locks wait there, and are no jobs.
      and t.queue <> 'locks'
      and (p_queue is null or t.queue = p_queue)
      and (p_task is null or t.task = p_task)
      and (p_user is null or t.user_name = p_user)
      and (p_project is null or t.project = p_project)
  )
  select k.key, count(*),
    count(*) filter (where e.outcome = 'completed'), count(*) filter (where e.outcome = 'failed'),
    count(*) filter (where e.outcome = 'cancelled'), count(*) filter (where e.outcome = 'expired'),
    count(*) filter (where e.outcome = 'deleted'),
    count(*) filter (where e.outcome = 'completed') / v_hours,
    avg(e.waited), percentile_cont(0.5) within group (order by e.waited), percentile_cont(0.95) within group (order by e.waited), max(e.waited),
    avg(e.ran), percentile_cont(0.5) within group (order by e.ran), percentile_cont(0.95) within group (order by e.ran), max(e.ran),
    coalesce(sum(e.ran), 0), avg(e.attempts)::double precision
  from ends as e
  cross join lateral pg_catalog.unnest(case p_by
    when 'task' then array[e.task]
    when 'user' then array[e.user_name]
    when 'model' then coalesce(
      nullif(array(select pg_catalog.substr(r.resource, 7) from pg_catalog.unnest(e.resources) as r (resource) where pg_catalog.starts_with(r.resource, 'model:')), '{}'),
      array[null::text])
    -- An agent is what it is called; its incarnations come and go.
    when 'agent' then array[pg_catalog.regexp_replace(e.agent_id, '[.][0-9]+$', '')]
    when 'queue' then array[e.queue]
    when 'project' then array[e.project]
    when 'hour' then array[pg_catalog.to_char(e.finished_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:00:00"Z"')]
    when 'day' then array[pg_catalog.to_char(e.finished_at at time zone 'UTC', 'YYYY-MM-DD"T00:00:00Z"')]
  end) as k (key)
  group by k.key
  order by case when p_by in ('hour', 'day') then k.key end, count(*) desc, k.key
  limit p_limit;
end
$$;

comment on function interlock.history_summary(text, timestamptz, timestamptz, text, text, text, text, integer) is
  'What ended from p_since (a day before) to p_until (now; not included), by task, user, model, agent, queue, project, hour or day (UTC): how many and how, completed an hour, how long they waited (those started once) and ran (completed or failed; their last attempt), in seconds. A job of two models counts for both; key is null for those of none. A job that failed, was requeued and ended again counts twice. The p_limit keys with the most, or the first hours. Of one queue, task, user or project where it is named.
Reads the partitions of its months and in them the range by index, at most 366 days; locks nothing. Raises IL005.';
