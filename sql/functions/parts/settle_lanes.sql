create function interlock.settle_lanes(
  p_lanes uuid[], p_places tid[], p_is_fair boolean[], p_patience double precision[], p_states text[], p_upto integer, p_names text[], p_pair_lanes integer[], p_pair_names integer[],
  p_free integer[], p_granted integer[], p_now timestamptz
) returns text[]
language plpgsql
set search_path = ''
as $$
declare
  v_free integer[] := p_free;
  v_ns integer[];
  v_park_on text[];
  v_started boolean[];
  v_several boolean[];
  v_wake text[];
  v_wake_times integer[];
  v_routes text[];
  v_users text[];
  v_left text[];
  v_n integer;
  v_weighted constant text[] := array(select q.name from interlock.queues as q where q.user_weights is not null);
begin
  foreach v_n in array p_granted loop
    v_free[v_n] := v_free[v_n] - 1;
  end loop;
  -- Who started and has no slot left for its next head, who was blocked, and who was beaten to the last slot: parked on
  -- the first resource that is full, in resource order. Who was beaten and finds none full stays awake.
  select array_agg(d.i), array_agg(d.park_on), array_agg(d.state = 'started'), array_agg(d.several)
  into v_ns, v_park_on, v_started, v_several
  from (
    select p.lane as i, p_states[p.lane] as state, count(*) > 1 as several,
      p_names[(array_agg(p.n order by p.ord) filter (where v_free[p.n] < 1))[1]] as park_on
    from unnest(p_pair_lanes, p_pair_names) with ordinality as p (lane, n, ord)
    where p.lane < p_upto
      and p_states[p.lane] in ('started', 'blocked', 'beaten')
    group by p.lane
    union all
    select g.i, 'started', false, null
    from generate_series(1, p_upto - 1) as g (i)
    where p_states[g.i] = 'started'
      and g.i <> all (p_pair_lanes)
  ) as d
  where d.state = 'started'
    or d.park_on is not null;
  if v_ns is null then
    return '{}';
  end if;

  with done as materialized (
    select p_places[u.i] as place, p_is_fair[u.i] as is_fair, p_patience[u.i] as patience_seconds,
      u.i, l.id, u.park_on, u.started, u.several, l.route, l.rank, l.blocked_head, split_part(l.route, '/', 1) as queue,
      case when l.resources[1] like 'user:%' then l.resources[1] end as user_key,
      h.id as head_id, h.kind, h.seniority, h.queued_at
    from unnest(v_ns, v_park_on, v_started, v_several) as u (i, park_on, started, several)
    join interlock.job_lanes as l on l.ctid = p_places[u.i]
    left join lateral (
      select j.id, j.kind, j.seniority, j.queued_at
      from interlock.jobs as j
      where j.lane_id = p_lanes[u.i] and j.status = 'pending'
      order by j.seniority, j.id
      limit 1
    ) as h on true
  ),
  -- By itself, because an emptied lane's user was served as well.
  served_at as materialized (
    select d.i,
      case when d.queue = any (v_weighted) then interlock.serve_user(d.queue, d.user_key, p_now) else p_now end as at
    from done as d
    where d.started
      and d.user_key is not null
      and d.is_fair
  ),
  decided as materialized (
    select d.i, d.id, d.route, d.place, d.head_id, d.kind, d.seniority, d.queued_at, d.started, d.queue, d.user_key, d.is_fair, d.blocked_head,
      case
        when d.head_id is null and d.started then null
        when d.head_id is null or not d.started then d.rank
        else interlock.lane_rank(case when d.is_fair then 'fair' else 'fifo' end, d.seniority, d.queued_at, s.at, null)
      end as rank,
      -- A next head that is overdue and needs several may reserve: it stays awake, to be examined by every rule.
      case
        when d.head_id is null then null
        when d.started and d.several and extract(epoch from p_now - d.queued_at) >= d.patience_seconds then null
        else d.park_on
      end as park_on
    from done as d
    left join served_at as s on s.i = d.i
  ),
  -- Of a user's lanes one stands in a resource's line, the others behind it.
  lined as materialized (
    select d.place,
      case
        when d.user_key is null or d.park_on = d.user_key or not d.is_fair then d.park_on
        when row_number() over (partition by d.park_on, d.route, d.user_key order by d.rank, d.id) > 1
          or (select (f.rank, f.id) < (d.rank, d.id) from interlock.first_of_user(d.park_on, d.user_key, d.route) as f) then interlock.sibling_line(d.park_on, d.user_key)
        else d.park_on
      end as line
    from decided as d
    where d.park_on is not null
  ),
  reasons as materialized (
    select d.head_id, d.kind, d.park_on, c.reason, c.holder_id
    from decided as d
    cross join lateral interlock.conflict_reason(d.park_on) as c
    where d.park_on is not null
      and d.blocked_head is distinct from d.head_id
  ),
  moved as (
    update interlock.job_lanes as l
    set rank = d.rank,
        blocked_on = n.line,
        seniority = d.seniority,
        waiting_since = d.queued_at,
        turn_at = case when not d.started then l.turn_at end,
        last_started_at = case when d.started then p_now else l.last_started_at end,
        blocked_head = case when d.park_on is not null then d.head_id else l.blocked_head end
    from decided as d
    left join lined as n on n.place = d.place
    where l.ctid = d.place
  ),
  served as (
    insert into interlock.lane_users as u (queue, user_key, last_started_at)
    select d.queue, d.user_key, p_now
    from (
      select distinct x.queue, x.user_key
      from decided as x
      where x.started
        and x.user_key is not null
        and x.is_fair
        and x.queue <> all (v_weighted)
      offset 0
    ) as d
    -- As serve_user() says; for all of them at once.
    where pg_try_advisory_xact_lock(interlock.lock_key(d.user_key))
    on conflict (queue, user_key) do update
    set last_started_at = excluded.last_started_at
  ),
  logged as (
    insert into interlock.job_queue_log (created_at, event_type, job_id, job_type, from_status, to_status, conflict_reason, details)
    select p_now, 'blocked', r.head_id, r.kind, 'pending', 'pending', r.reason,
      jsonb_build_object('blocked_on', r.park_on, 'blocked_by_job_id', r.holder_id)
    from reasons as r
  )
  select array_agg(d.route), array_agg(d.user_key), array_agg(p_names[p.n])
  into v_routes, v_users, v_left
  from decided as d
  join unnest(p_pair_lanes, p_pair_names) as p (lane, n) on p.lane = d.i
  where d.user_key is not null
    and p_names[p.n] <> d.user_key
    and p_names[p.n] is distinct from d.park_on;
  if v_left is not null then
    perform interlock.promote_siblings(v_routes, v_users, v_left);
  end if;

  -- A lane that parked, or was emptied, may have been woken for a resource that is free: pass it on.
  select array_agg(p_names[w.n]), array_agg(w.times)
  into v_wake, v_wake_times
  from (
    select p.n, count(*)::integer as times
    from unnest(p_pair_lanes, p_pair_names) as p (lane, n)
    where v_free[p.n] > 0
      and p.lane = any (v_ns)
    group by p.n
  ) as w;
  if v_wake is null then
    return '{}';
  end if;
  return array(select w.route from interlock.wake_resources(v_wake, v_wake_times) as w);
end
$$;

comment on function interlock.settle_lanes(uuid[], tid[], boolean[], double precision[], text[], integer, text[], integer[], integer[], integer[], integer[], timestamptz) is
  'Writes what decide_lanes() decided of lanes: the rank from the next head (null when it was emptied), the resource that it parks on, when the lane and its user were served, one blocked event for each head that parks; and passes on what they may have been woken for. A lane whose head vanished meanwhile stays awake, so that a claim vacates it. Where a lane does not wait for a resource any more, a sibling that stood behind it there steps up. Returns the routes of the lanes that were made awake. Locks parked lanes that it promotes or wakes, waiting for absorbers, the tick, and a claimer that came to the row before it, none of whom waits for it.';
