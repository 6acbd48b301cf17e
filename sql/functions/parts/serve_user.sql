create function interlock.serve_user(p_queue text, p_user_key text, p_now timestamptz) returns timestamptz
language plpgsql
set search_path = ''
as $$
declare
  v_weight integer;
  v_served_at timestamptz;
begin
  -- Held already, but where users are unlimited: there two claimers may serve one user, and would wait for each other in no
  -- order. Who is beaten to the note was served at this moment anyway.
  if not pg_catalog.pg_try_advisory_xact_lock(interlock.lock_key(p_user_key)) then
    return p_now;
  end if;
  select coalesce((q.user_weights ->> pg_catalog.substr(p_user_key, 6))::integer, 1)
  into v_weight
  from interlock.queues as q
  where q.name = p_queue;
  insert into interlock.lane_users as u (queue, user_key, last_started_at, starts)
  values (p_queue, p_user_key, case when v_weight = 1 then p_now end, case when v_weight = 1 then 0 else 1 end)
  on conflict (queue, user_key) do update
  set last_started_at = case when u.starts + 1 >= v_weight then p_now else u.last_started_at end,
      starts = case when u.starts + 1 >= v_weight then 0 else u.starts + 1 end
  returning u.last_started_at into v_served_at;
  return v_served_at;
end
$$;

comment on function interlock.serve_user(text, text, timestamptz) is
  'Notes that a user of a fair queue was served, and returns since when that counts: now, or before the last of as many starts as the queue''s user_weights allows them in a turn (null: not yet). Called with the user''s resource locked.';
