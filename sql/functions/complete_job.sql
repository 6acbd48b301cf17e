create function interlock.complete_job(p_job_id text, p_token bigint, p_result jsonb default null) returns text
language plpgsql
set search_path = ''
as $$
declare
  v_reason text;
begin
  select c.reason
  into v_reason
  from interlock.complete_jobs(array[p_job_id], array[p_token], array[p_result]) as c;
  perform interlock.refuse_holder(p_job_id, p_token, v_reason);
  return 'completed';
end
$$;

comment on function interlock.complete_job(text, bigint, jsonb) is
  'complete_jobs() for one job, where a refusal is an error: the holder says that it is done, with its result. Returns completed. Locks as complete_jobs(). Must be the first of its transaction (IL010). Raises IL001, IL002, IL005.';
