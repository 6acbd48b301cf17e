create function interlock.start_jobs(p_job_ids text[], p_tokens bigint[])
returns table (job_id text, token bigint, accepted boolean, reason text)
language plpgsql
set search_path = ''
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
set plan_cache_mode = force_generic_plan
as $$
declare
  v_now timestamptz := interlock.clock();
begin
  perform
  from interlock.jobs as j
  where j.id = any (p_job_ids)
  order by j.id
  for no key update;
  return query
  with asked as materialized (
    select u.id, u.token, u.n, j.status, j.kind,
      case
        when j.id is null or j.token is distinct from u.token or j.held is null then 'stale_token'
        when j.cancel_requested_at is not null then 'cancel_requested'
      end as reason
    from unnest(p_job_ids, p_tokens) with ordinality as u (id, token, n)
    left join interlock.jobs as j on j.id = u.id
  ),
  started as (
    update interlock.jobs as j
    set status = 'running',
        started_at = v_now
    from asked as a
    where j.id = a.id
      and a.reason is null
      and a.status = 'assigned'
    returning j.id, j.kind, j.token, j.agent_id, j.heartbeat_seconds
  ),
  watched as (
    insert into interlock.job_signs as g (job_id, token, heartbeat_seconds, last_sign_at, due_at)
    select s.id, s.token, s.heartbeat_seconds, v_now, v_now + s.heartbeat_seconds * interval '1 second'
    from started as s
    where s.heartbeat_seconds is not null
    on conflict on constraint job_signs_pkey do update
    set token = excluded.token,
        heartbeat_seconds = excluded.heartbeat_seconds,
        last_sign_at = excluded.last_sign_at,
        due_at = excluded.due_at,
        stalled_at = null
  ),
  logged as (
    insert into interlock.job_queue_log (created_at, event_type, job_id, job_type, from_status, to_status, token, agent_id)
    select v_now, 'started', s.id, s.kind, 'assigned', 'running', s.token, s.agent_id
    from started as s
  )
  select a.id, a.token, a.reason is null, a.reason
  from asked as a
  order by a.n;
end
$$;

comment on function interlock.start_jobs(text[], bigint[]) is
  'The holder confirms that it starts these jobs: assigned becomes running. Nothing may be started before it was accepted. Returns a row for each: accepted (again, if it is confirmed twice), or the reason: stale_token, cancel_requested. From then on one with heartbeat_seconds has to give signs of life. Locks the jobs'' rows, by id.';
