create function interlock.requeue_jobs(p_job_ids text[], p_now timestamptz, p_reason text, p_actor text) returns void
language plpgsql
set search_path = ''
as $$
begin
  -- A new life for what is dead: its attempts count from nothing, and it stands in line as of now.
  update interlock.jobs as j
  set attempt = 0,
      queued_at = null,
      seniority = null,
      expires_at = case when q.ttl_seconds > 0 then p_now + q.ttl_seconds * interval '1 second' end
  from interlock.queues as q
  where j.id = any (p_job_ids)
    and j.status = 'failed'
    and q.name = j.queue;
  perform interlock.move_jobs(p_job_ids, 'pending', null, 'requeued', p_now, p_reason, p_actor);
  perform interlock.ring(array(select distinct j.queue || '/' || j.permission_level from interlock.jobs as j where j.id = any (p_job_ids)));
end
$$;

comment on function interlock.requeue_jobs(text[], timestamptz, text, text) is
  'Makes dead letters (as new: their attempts count anew, they stand in line as of now) and jobs that wait for their time pending, and rings. Called with the jobs'' rows locked.';
