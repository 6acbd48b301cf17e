create function interlock.refuse_holder(p_job_id text, p_token bigint, p_reason text) returns void
language plpgsql
set search_path = ''
as $$
begin
  if p_reason = 'job_not_found' then
    raise exception using errcode = 'IL001', message = pg_catalog.format('job %s does not exist', p_job_id), column = 'job_id';
  elsif p_reason is not null then
    raise exception using
      errcode = 'IL002',
      message = pg_catalog.format('token %s of job %s is stale', coalesce(p_token::text, 'null'), p_job_id),
      column = 'token',
      hint = 'The job was taken from you, has ended, or is held under a newer token. Stop working on it.';
  end if;
end
$$;

comment on function interlock.refuse_holder(text, bigint, text) is
  'Raises what a single holder''s write is refused with: IL001 job_not_found or IL002 stale_token; nothing for a null reason.';
