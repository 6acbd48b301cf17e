create function interlock.raise_after_restore(p_above bigint default 0, p_actor text default null)
returns table (name text, was bigint, is_now bigint)
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := interlock.clock();
  v_lost_seconds double precision;
  v_margin bigint;
begin
  if p_above is null or p_above not between 0 and 1000000000000000000 then
    raise exception using errcode = 'IL005', message = 'above must be 0 to 1000000000000000000', column = 'above';
  end if;
  -- One at a time: two that read the same number would raise once.
  perform pg_catalog.pg_advisory_xact_lock(interlock.lock_key('restore'));
  -- While nobody writes yet: the first reader of events would have to wait for writers.
  perform interlock.log_lifetime();
  -- What the lost history handed out, nobody here can know. It began after the last event that is left, and no server grants
  -- 100,000 a second; a billion more costs nothing.
  select extract(epoch from v_now - pg_catalog.max(l.created_at))
  into v_lost_seconds
  from interlock.job_queue_log as l;
  v_margin := 1000000000 + 100000 * pg_catalog.ceil(greatest(coalesce(v_lost_seconds, 0), 0))::bigint;
  for name, was, is_now in
    select s.name, s.was, s.is_now
    from (
      select 'grant_numbers' as name, g.last_value as was, greatest(g.last_value, p_above) + v_margin as is_now
      from interlock.grant_numbers as g
      union all
      select 'job_numbers', j.last_value, j.last_value + v_margin
      from interlock.job_numbers as j
      union all
      select 'message_numbers', m.last_value, m.last_value + v_margin
      from interlock.message_numbers as m
      union all
      -- Not by the margin: an integer, and nobody registers a million agents between two backups.
      select 'incarnations', i.last_value, i.last_value + 1000000
      from interlock.incarnations as i
    ) as s
  loop
    if is_now > (case name when 'incarnations' then 2147483647 else 9007199254740991 end) then
      raise exception using
        errcode = 'IL005',
        message = pg_catalog.format('%s would be raised to %s, beyond what it may be', name, is_now),
        column = 'above';
    end if;
    perform pg_catalog.setval(pg_catalog.format('interlock.%I', name)::regclass, is_now);
    insert into interlock.job_queue_log (created_at, event_type, actor, conflict_reason, details)
    values (v_now, 'raised_after_restore', p_actor, 'a restore or a failover',
      pg_catalog.jsonb_build_object('name', name, 'was', was, 'is_now', is_now));
    return next;
  end loop;
end
$$;

comment on function interlock.raise_after_restore(bigint, text) is
  'To be called once after a backup or a point in time was restored, or a standby promoted that may lack what its primary had acknowledged, before agents and coordinators are let at it: raises the numbers of grants (tokens and fences), of jobs, of messages and of incarnations above all that the lost history can have handed out, so that what it handed out is refused and never given again. p_above: the highest fence that a system behind the resources remembers, where it is known to be higher. Returns each number as it was and is. Not undone by a rollback; called again it raises again. Agents that hold jobs of the lost history are told to stop by their next heartbeat; wait for the longest lease where their processes must be gone before anything starts.
Locks: the key restore; where a dump was restored, as begin_log_anew(). Raises IL005 invalid_argument where a number would leave its range.';
