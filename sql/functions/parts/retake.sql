create function interlock.retake(p_request_id text, p_now timestamptz) returns void
language plpgsql
set search_path = ''
set enable_seqscan = off
as $$
declare
  c_route constant text := 'locks/autonomous';
  v_job record;
  v_resources text[];
  v_id text;
begin
  select j.id, j.kind, j.status, j.token, j.agent_id, j.queue, j.permission_level, j.task, j.resources, j.held, j.user_name, j.project, j.priority,
    j.seniority, j.queued_at
  into v_job
  from interlock.job_messages as m
  join interlock.jobs as j on j.id = m.job_id and j.token = m.token and j.held is not null
  where m.id = p_request_id;
  if not found then
    -- Its claim has ended since it was looked at: the tick finds a request whose job is gone.
    return;
  end if;
  v_resources := interlock.missing_resources(v_job.queue || '/' || v_job.permission_level, v_job.task, v_job.resources, v_job.held);
  if v_resources = '{}' then
    -- Nothing of it is limited any more.
    update interlock.job_messages as m set resumed_at = p_now where m.id = p_request_id;
    insert into interlock.job_queue_log (created_at, event_type, job_id, job_type, from_status, to_status, token, agent_id, resources, details)
    values (p_now, 'resumed', v_job.id, v_job.kind, v_job.status, v_job.status, v_job.token, v_job.agent_id, '{}', jsonb_build_object('request_id', p_request_id));
    return;
  end if;
  while v_id is null loop
    v_id := interlock.sortable_id(nextval('interlock.job_numbers'));
    insert into interlock.jobs (id, status, task, kind, user_name, project, queue, priority, resources, max_attempts, created_at, queued_at,
      timeout_seconds, seniority, lane_id, payload)
    select v_id, 'pending', 'lock', 'resume', v_job.user_name, v_job.project, q.name, v_job.priority, r.resources, q.max_attempts, p_now, v_job.queued_at,
      q.timeout_seconds, v_job.seniority, interlock.lane_id(c_route, 'lock', r.resources),
      jsonb_build_object('request_id', p_request_id, 'job_id', v_job.id)
    from interlock.queues as q
    cross join lateral (
      select array_agg(u.resource order by interlock.resource_order(u.resource), u.resource collate "C") as resources
      from unnest(v_resources || interlock.own_resource(v_id)) as u (resource)
    ) as r
    where q.name = 'locks'
    on conflict (id) do nothing
    returning jobs.id into v_id;
  end loop;
  update interlock.job_messages as m set companion_id = v_id where m.id = p_request_id;
  insert into interlock.job_queue_log (created_at, event_type, job_id, job_type, to_status, conflict_reason, queue, details)
  values (p_now, 'enqueued', v_id, 'resume', 'pending', format('job %s takes again what it gave back', v_job.id), 'locks',
    jsonb_build_object('request_id', p_request_id, 'job_id', v_job.id));
  insert into interlock.job_lane_touches (lane_id)
  select j.lane_id from interlock.jobs as j where j.id = v_id;
  perform interlock.ring(array[c_route]);
end
$$;

comment on function interlock.retake(text, timestamptz) is
  'Sends a companion of the asking job into the line of manual locks for all that the job needs by now and does not hold, all or none, with the seniority and the time of waiting that the job had: it waits as a manual lock does, and as senior as the job is. Where nothing of it is limited any more, the request is resumed at once. Insert-only towards the scheduler. Does nothing where its claim has ended. Called with the request''s row locked.';
