create function interlock.reprioritise(p_job_ids text[], p_priority double precision, p_now timestamptz, p_reason text, p_actor text) returns void
language plpgsql
set search_path = ''
as $$
begin
  with before as materialized (
    select j.id, j.status, j.kind, j.priority, j.lane_id
    from interlock.jobs as j
    where j.id = any (p_job_ids)
  ),
  moved as (
    update interlock.jobs as j
    set priority = p_priority,
        seniority = j.seniority + (p_priority - j.priority) * q.priority_step_seconds * interval '1 second'
    from interlock.queues as q
    where j.id = any (p_job_ids)
      and q.name = j.queue
  ),
  touched as (
    insert into interlock.job_lane_touches (lane_id)
    select distinct b.lane_id
    from before as b
    where b.status = 'pending'
  )
  insert into interlock.job_queue_log (created_at, event_type, job_id, job_type, from_status, to_status, actor, conflict_reason, details)
  select p_now, 'reprioritised', b.id, b.kind, b.status, b.status, p_actor, pg_catalog.left(p_reason, 4096),
    pg_catalog.jsonb_build_object('from', b.priority, 'to', p_priority)
  from before as b;
end
$$;

comment on function interlock.reprioritise(text[], double precision, timestamptz, text, text) is
  'Gives jobs this priority, and moves their seniority by the difference; touches the lanes of those that are pending, and logs. Called with the jobs'' rows locked.';
