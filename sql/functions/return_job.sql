create function interlock.return_job(p_job_id text, p_token bigint, p_reason text default null) returns text
language plpgsql
set search_path = ''
as $$
declare
  v_reason text;
begin
  select r.reason
  into v_reason
  from interlock.return_jobs(array[p_job_id], array[p_token], p_reason) as r;
  perform interlock.refuse_holder(p_job_id, p_token, v_reason);
  -- One that was asked to stop is gone now.
  return case when exists (select from interlock.jobs as j where j.id = p_job_id) then 'pending' else 'cancelled' end;
end
$$;

comment on function interlock.return_job(text, bigint, text) is
  'return_jobs() for one job, where a refusal is an error: the holder gives it back unfinished. Returns pending, or cancelled where that had been asked for. Locks as return_jobs(). Must be the first of its transaction (IL010). Raises IL001, IL002.';
