create function interlock.report_progress(p_job_id text, p_token bigint, p_percent real, p_description text default null) returns void
language plpgsql
set search_path = ''
as $$
begin
  update interlock.jobs as j
  set progress = least(greatest(p_percent, 0), 100),
      progress_description = coalesce(pg_catalog.left(p_description, 1024), j.progress_description)
  where j.id = p_job_id
    and j.token = p_token
    and j.held_slots is not null;
  if not found then
    perform interlock.refuse_holder(p_job_id, p_token, interlock.holder_refusal(p_job_id));
  end if;
end
$$;

comment on function interlock.report_progress(text, bigint, real, text) is
  'The holder reports progress: 0 to 100 (clamped) and a description of up to 1,024 characters (cut). Locks the job''s row. Raises IL001, IL002.';
