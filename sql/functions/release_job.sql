create function interlock.release_job(p_job_id text, p_reason text default null, p_actor text default null)
returns table (status text)
language plpgsql
set search_path = ''
as $$
declare
  v_reason text := coalesce(p_reason, 'released by force');
  v_job record;
begin
  select j.queue, j.held
  into v_job
  from interlock.jobs as j
  where j.id = p_job_id;
  if v_job.queue = 'locks' then
    return query select r.status from interlock.release_lock(p_job_id, null, v_reason, p_actor) as r;
  elsif v_job.held is not null then
    return query select c.status from interlock.cancel_job(p_job_id, v_reason, p_actor) as c;
  else
    v_job := interlock.lock_job(p_job_id);
    raise exception using
      errcode = 'IL009',
      message = pg_catalog.format('job %s is %s and holds nothing', p_job_id, v_job.status),
      column = 'job_id';
  end if;
end
$$;

comment on function interlock.release_job(text, text, text) is
  'Takes from a job, or a manual lock, all that it holds. A lock is released at once; a job that runs is asked to stop first (cancelling): its resources are free when its process is confirmed gone, not before. Returns released, withdrawn (a lock that waited), cancelling, or cancelled for what was returned to wait meanwhile.
Locks: as release_lock() or cancel_job(). Must be the first of its transaction for a lock (IL010). Raises IL001, IL003 where it has ended, IL009 not_held, 40001 as release_lock().';
