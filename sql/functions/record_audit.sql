create function interlock.record_audit(
  p_operation text, p_outcome text, p_subject text default null, p_actor text default null, p_key_id text default null,
  p_code text default null, p_reason text default null, p_request_id text default null
) returns void
language plpgsql
set search_path = ''
as $$
begin
  if p_operation is null or p_operation = '' then
    raise exception using errcode = 'IL005', message = 'operation must be named', column = 'operation';
  end if;
  if p_outcome is null or p_outcome not in ('done', 'refused', 'failed') then
    raise exception using errcode = 'IL005', message = 'outcome must be done, refused or failed', column = 'outcome';
  end if;
  insert into interlock.audit_log (created_at, actor, key_id, operation, subject, outcome, code, reason, request_id)
  values (
    interlock.clock(),
    pg_catalog.left(coalesce(nullif(p_actor, ''), session_user), 200),
    pg_catalog.left(p_key_id, 32),
    pg_catalog.left(p_operation, 200),
    pg_catalog.left(p_subject, 300),
    p_outcome,
    pg_catalog.left(p_code, 40),
    pg_catalog.left(p_reason, 4096),
    pg_catalog.left(p_request_id, 64));
end
$$;

comment on function interlock.record_audit(text, text, text, text, text, text, text, text) is
  'Writes a line of the audit: what was asked for, done, refused or failed, about what, by whom (who is logged in, unless set), with which key, why, in which request. Texts that are too long are cut. For doors, which call it for what operators and administrators ask and for what somebody was not permitted: never for claims, completions and heartbeats.
Insert-only; locks nothing. Raises IL005.';
