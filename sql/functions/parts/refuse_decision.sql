create function interlock.refuse_decision(p_job interlock.jobs) returns void
language plpgsql
set search_path = ''
as $$
begin
  if p_job.status = 'paused' and p_job.permission_level = 'human_required' and p_job.approved_at is null then
    return;
  end if;
  raise exception using
    errcode = 'IL003',
    message = pg_catalog.format(case
      when p_job.permission_level <> 'human_required' then 'job %s needs no approval: it is %s, and %s'
      when p_job.approved_at is not null then 'job %s was approved already; it is %s'
      else 'job %s waits for no approval: it is %s' end, p_job.id, p_job.status, p_job.permission_level),
    column = 'job_id',
    hint = case when p_job.status = 'paused' then 'Start it, or cancel it.' else 'There is nothing to decide; cancel it where it is not to run.' end;
end
$$;

comment on function interlock.refuse_decision(interlock.jobs) is
  'Raises IL003 unless the job waits for somebody to approve or reject it.';
