create function interlock.ask_to_stop(p_job_ids text[], p_now timestamptz, p_reason text, p_actor text) returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_agents text[];
begin
  with asked as (
    update interlock.jobs as j
    set cancel_requested_at = p_now,
        cancel_reason = pg_catalog.left(p_reason, 4096),
        -- A manual lock has no process that would confirm it: its lease ends here, and the tick releases it.
        lease_until = case when j.lease_until is not null then p_now end
    where j.id = any (p_job_ids)
    returning j.id, j.kind, j.status, j.token, j.agent_id
  ),
  logged as (
    insert into interlock.job_queue_log (created_at, event_type, job_id, job_type, from_status, to_status, token, agent_id, actor, conflict_reason)
    select p_now, 'cancel_requested', a.id, a.kind, a.status, a.status, a.token, a.agent_id, p_actor, pg_catalog.left(p_reason, 4096)
    from asked as a
  )
  select pg_catalog.array_agg(a.agent_id) into v_agents from asked as a;
  perform pg_catalog.pg_notify('interlock_agent', u.id)
  from (select distinct x.id from pg_catalog.unnest(v_agents) as x (id)) as u;
  return coalesce(pg_catalog.cardinality(v_agents), 0);
end
$$;

comment on function interlock.ask_to_stop(text[], timestamptz, text, text) is
  'Asks jobs that run to stop and tells their agents; their resources stay taken until their processes are confirmed gone. Returns how many. Called with the jobs'' rows locked, of jobs that hold something and were not asked before.';
