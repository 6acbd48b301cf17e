create function interlock.report_progress(p_job_id text, p_token bigint, p_percent real, p_description text default null) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_heartbeat_seconds integer;
begin
  update interlock.jobs as j
  set progress = case when p_percent is null then j.progress else least(greatest(p_percent, 0), 100) end,
      progress_description = coalesce(pg_catalog.left(p_description, 1024), j.progress_description)
  where j.id = p_job_id
    and j.token = p_token
    and j.held_slots is not null
  returning j.heartbeat_seconds into v_heartbeat_seconds;
  if not found then
    perform interlock.refuse_holder(p_job_id, p_token, interlock.holder_refusal(p_job_id));
  elsif v_heartbeat_seconds is not null then
    perform interlock.note_sign(p_job_id, p_token);
  end if;
end
$$;

comment on function interlock.report_progress(text, bigint, real, text) is
  'The holder reports progress: 0 to 100 (clamped; null: as before) and a description of up to 1,024 characters (cut). It is a sign of life. Locks the job''s row; then that of its signs, if it has to give some. Raises IL001, IL002.';
