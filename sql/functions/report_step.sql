create function interlock.report_step(p_job_id text, p_token bigint, p_step text) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_execution record;
  v_job record;
begin
  select j.kind, j.status, j.agent_id
  into v_job
  from interlock.jobs as j
  where j.id = p_job_id
    and j.token = p_token
    and j.held_slots is not null
  for no key update;
  if not found then
    perform interlock.refuse_holder(p_job_id, p_token, interlock.holder_refusal(p_job_id));
  end if;
  select e.id, s.n, s.step ->> 'model' as model, e.workflow_id
  into v_execution
  from interlock.workflow_executions as e
  left join lateral (
    select x.step, x.n
    from jsonb_array_elements(e.steps) with ordinality as x (step, n)
    where x.step ->> 'name' = p_step
  ) as s on true
  where e.id = p_job_id
    and e.hold = 'run';
  if v_execution.id is null then
    raise exception using errcode = 'IL005', message = format('job %s is not the run of a workflow', p_job_id), column = 'step';
  elsif v_execution.n is null then
    raise exception using
      errcode = 'IL005', message = format('workflow %s has no step %s', v_execution.workflow_id, p_step), column = 'step';
  end if;
  update interlock.workflow_executions as e
  set reported_step = v_execution.n,
      reported_token = p_token
  where e.id = p_job_id;
  insert into interlock.job_queue_log (created_at, event_type, job_id, job_type, from_status, to_status, token, agent_id, details)
  values (interlock.clock(), 'step', p_job_id, v_job.kind, v_job.status, v_job.status, p_token, v_job.agent_id,
    jsonb_strip_nulls(jsonb_build_object('step', p_step, 'model', v_execution.model)));
end
$$;

comment on function interlock.report_step(text, bigint, text) is
  'The holder of a workflow''s run says which step it is at, by name. Locks the job''s row, then the execution''s. Raises IL001, IL002, IL005 for a job that is no such run and for a step that it has not.';
