create function interlock.extend_lock(p_lock_id text, p_token bigint, p_lease_seconds integer default null)
returns table (lease_until timestamptz)
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := interlock.clock();
begin
  if p_lease_seconds not between 1 and 86400 then
    raise exception using errcode = 'IL005', message = 'lease_seconds must be 1 to 86400', column = 'lease_seconds';
  end if;
  -- Past its lease, or asked to end, it is as good as given to somebody else.
  update interlock.jobs as j
  set lease_until = v_now + coalesce(p_lease_seconds, j.timeout_seconds) * interval '1 second',
      timeout_seconds = coalesce(p_lease_seconds, j.timeout_seconds)
  where j.id = p_lock_id
    and j.queue = 'locks'
    and j.token = p_token
    and j.status = 'running'
    and j.cancel_requested_at is null
    and j.lease_until > v_now
  returning j.lease_until into extend_lock.lease_until;
  if not found then
    perform interlock.refuse_holder(p_lock_id, p_token, interlock.holder_refusal(p_lock_id));
  end if;
  return next;
end
$$;

comment on function interlock.extend_lock(text, bigint, integer) is
  'The holder of a manual lock says that it is still there: its lease ends p_lease_seconds from now (unless given, as many as before). Returns until when. Locks the lock''s row. Raises IL001, IL002 stale_token where it is not held under this token any more, its lease has ended, or it was asked to end: stop using what it locked; IL005.';
