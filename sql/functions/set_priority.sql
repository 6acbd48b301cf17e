create function interlock.set_priority(p_job_id text, p_priority double precision, p_actor text default null, p_reason text default null)
returns void
language plpgsql
set search_path = ''
as $$
begin
  if p_priority is null or not p_priority between 0 and 3 then
    raise exception using errcode = 'IL005', message = 'priority must be a number from 0 (critical) to 3 (low)', column = 'priority';
  end if;
  perform interlock.lock_job(p_job_id);
  perform interlock.reprioritise(array[p_job_id], p_priority, interlock.clock(), p_reason, p_actor);
end
$$;

comment on function interlock.set_priority(text, double precision, text, text) is
  'Changes a job''s priority (0 critical to 3 low), and its seniority by the difference. Its queue stays. Locks the job''s row; insert-only towards the scheduler. Raises IL001, IL003, IL005.';
