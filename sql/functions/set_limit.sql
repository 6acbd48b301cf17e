create function interlock.set_limit(
  p_pattern text, p_capacity integer, p_paused boolean default false, p_actor text default null, p_starts_per_minute integer default null
) returns void
language plpgsql
set search_path = ''
set enable_seqscan = off
as $$
declare
  v_now timestamptz;
begin
  if p_pattern is null or p_pattern !~ '^[a-z][a-z0-9_]{0,30}:[^*[:cntrl:]]{0,200}[*]?$' or p_pattern ~ ':$' then
    raise exception using errcode = 'IL005', message = 'pattern must be a resource (kind:value) or a prefix of them (kind:*)', column = 'pattern';
  elsif p_capacity is not null and p_capacity not between 0 and 100000 then
    raise exception using errcode = 'IL005', message = 'capacity must be 0 to 100000, or null for unlimited', column = 'capacity';
  elsif p_pattern like 'rate:%' then
    raise exception using errcode = 'IL005', message = 'rate: names the start rate of a resource', column = 'pattern', hint = 'Set starts_per_minute of the resource itself.';
  elsif p_starts_per_minute is not null and p_starts_per_minute not between 1 and 100000 then
    raise exception using errcode = 'IL005', message = 'starts_per_minute must be 1 to 100000, or null for any number', column = 'starts_per_minute';
  elsif p_paused is null or (p_paused and p_pattern ~ '[*]$') then
    raise exception using errcode = 'IL005', message = 'only a single resource can be paused', column = 'paused';
  end if;
  perform interlock.lock_limits_alone();
  -- After the wait for the lock: what was granted meanwhile was granted under the old limit.
  v_now := interlock.clock();
  insert into interlock.resource_limits as l (pattern, capacity, starts_per_minute, is_paused, updated_at)
  values (p_pattern, p_capacity, p_starts_per_minute, p_paused, v_now)
  on conflict (pattern) do update
  set capacity = excluded.capacity,
      starts_per_minute = excluded.starts_per_minute,
      is_paused = excluded.is_paused,
      is_pause_only = false,
      updated_at = excluded.updated_at;
  insert into interlock.job_queue_log (created_at, event_type, actor, details)
  values (v_now, 'limit_set', p_actor, jsonb_build_object('pattern', p_pattern, 'capacity', p_capacity, 'starts_per_minute', p_starts_per_minute, 'paused', p_paused));
  perform interlock.apply_limits(p_pattern);
  perform interlock.apply_limits('rate:' || p_pattern);
end
$$;

comment on function interlock.set_limit(text, integer, boolean, text, integer) is
  'Sets the capacity of a resource, or of all that begin with a prefix (null: unlimited; 0: nobody), pauses or resumes one, and sets how many of its jobs may start within any minute (null: any number).'
  ' limit:all of capacity 1 runs one job at a time in all. It applies at once to what waits and counts what runs: raised, it wakes as many times; lowered, what runs goes on and its slots retire when they are freed, and surplus reservations are taken back.
Locks: limits, exclusively, so that it waits for every verb under way and they for it; the jobs that run, by id; then lanes. Must be the first of its transaction (IL010). Raises IL005.';
