create function interlock.heartbeat_job(p_job_id text, p_token bigint) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_heartbeat_seconds integer;
begin
  select j.heartbeat_seconds
  into v_heartbeat_seconds
  from interlock.jobs as j
  where j.id = p_job_id
    and j.token = p_token
    and j.held_slots is not null;
  if not found then
    perform interlock.refuse_holder(p_job_id, p_token, interlock.holder_refusal(p_job_id));
  elsif v_heartbeat_seconds is not null then
    perform interlock.note_sign(p_job_id, p_token);
  end if;
end
$$;

comment on function interlock.heartbeat_job(text, bigint) is
  'The holder says that the job itself is alive, where it has neither progress nor output to show. Changes nothing where it need not (heartbeat_seconds). Locks the row of its signs. Raises IL001, IL002.';
