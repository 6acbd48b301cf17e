create function interlock.holder_refusal(p_job_id text) returns text
language sql stable
set search_path = ''
as $$
  select case
    when exists (select from interlock.jobs as j where j.id = p_job_id)
      or exists (select from interlock.task_history as t where t.job_id = p_job_id) then 'stale_token'
    else 'job_not_found'
  end
$$;

comment on function interlock.holder_refusal(text) is
  'Why a holder''s write matched nothing: the job never was, or the token is not the one any more.';
