create function interlock.lock_job(p_job_id text) returns interlock.jobs
language plpgsql
set search_path = ''
as $$
declare
  v_job interlock.jobs;
  v_outcome text;
begin
  select j.*
  into v_job
  from interlock.jobs as j
  where j.id = p_job_id
  for no key update;
  if not found then
    select t.outcome
    into v_outcome
    from interlock.task_history as t
    where t.job_id = p_job_id
    order by t.finished_at desc
    limit 1;
    if v_outcome is null then
      raise exception using errcode = 'IL001', message = pg_catalog.format('job %s does not exist', p_job_id), column = 'job_id';
    end if;
    raise exception using
      errcode = 'IL003',
      message = pg_catalog.format('job %s has ended: it is %s', p_job_id, v_outcome),
      column = 'job_id';
  end if;
  return v_job;
end
$$;

comment on function interlock.lock_job(text) is
  'Locks a live job''s row and returns it. Raises IL001 where there never was one, IL003 where it has ended.';
