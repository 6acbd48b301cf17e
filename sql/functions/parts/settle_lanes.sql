create function interlock.settle_lanes(
  p_lanes uuid[], p_places tid[], p_is_fair boolean[], p_patience double precision[], p_routes text[], p_user_keys text[],
  p_states text[], p_upto integer, p_names text[], p_needs integer[], p_firsts integer[], p_free integer[], p_now timestamptz
) returns text[]
language plpgsql
set search_path = ''
as $$
declare
  v_ns integer[] := '{}';
  v_park_on text[] := '{}';
  v_served_at timestamptz[] := '{}';
  v_served_queues text[] := '{}';
  v_served_users text[] := '{}';
  v_head_ids text[];
  v_kinds text[];
  v_seniorities timestamptz[];
  v_queued_ats timestamptz[];
  v_is_news boolean[];
  v_ranks timestamptz[] := '{}';
  v_emptied tid[] := '{}';
  v_lines text[];
  v_in_line boolean := false;
  v_any_parked boolean := false;
  v_left_routes text[] := '{}';
  v_left_users text[] := '{}';
  v_left text[] := '{}';
  v_wake_times integer[] := array_fill(0, array[cardinality(p_names)]);
  v_wake integer[];
  v_obstacle text;
  v_lane integer;
  v_need integer;
  v_weighted constant text[] := array(select q.name from interlock.queues as q where q.user_weights is not null);
begin
  -- Who started and has no slot left for its next head, who was blocked, and who was beaten to the last slot: parked on
  -- the first resource that is full, in resource order. Who was beaten and finds none full stays awake.
  for i in 1 .. p_upto - 1 loop
    continue when p_states[i] not in ('started', 'blocked', 'beaten');
    v_obstacle := null;
    for k in p_firsts[i] .. p_firsts[i + 1] - 1 loop
      if p_free[p_needs[k]] < 1 then
        v_obstacle := p_names[p_needs[k]];
        exit;
      end if;
    end loop;
    continue when v_obstacle is null and p_states[i] <> 'started';
    v_ns := v_ns || i;
    v_park_on := v_park_on || v_obstacle;
    if p_states[i] <> 'started' or p_user_keys[i] is null or not p_is_fair[i] then
      v_served_at := v_served_at || null::timestamptz;
    elsif split_part(p_routes[i], '/', 1) = any (v_weighted) then
      v_served_at := v_served_at || interlock.serve_user(split_part(p_routes[i], '/', 1), p_user_keys[i], p_now);
    else
      v_served_at := v_served_at || p_now;
      v_served_queues := v_served_queues || split_part(p_routes[i], '/', 1);
      v_served_users := v_served_users || p_user_keys[i];
    end if;
  end loop;
  if v_ns = '{}' then
    return '{}';
  end if;

  select array_agg(x.id), array_agg(x.kind), array_agg(x.seniority), array_agg(x.queued_at), array_agg(x.is_news)
  into v_head_ids, v_kinds, v_seniorities, v_queued_ats, v_is_news
  from (
    select h.id, h.kind, h.seniority, h.queued_at, h.id is not null and l.blocked_head is distinct from h.id as is_news
    from unnest(v_ns) with ordinality as u (i, k)
    join interlock.job_lanes as l on l.ctid = p_places[u.i]
    left join lateral (
      select j.id, j.kind, j.seniority, j.queued_at
      from interlock.jobs as j
      where j.lane_id = p_lanes[u.i] and j.status = 'pending'
      order by j.seniority, j.id
      limit 1
    ) as h on true
    order by u.k
  ) as x;

  for k in 1 .. cardinality(v_ns) loop
    v_lane := v_ns[k];
    v_ranks := v_ranks || case when v_head_ids[k] is not null then
      interlock.lane_rank(case when p_is_fair[v_lane] then 'fair' else 'fifo' end, v_seniorities[k], v_queued_ats[k], v_served_at[k], null) end;
    -- A next head that is overdue and needs several may reserve: it stays awake, to be examined by every rule.
    if v_head_ids[k] is null
      or (p_states[v_lane] = 'started' and p_firsts[v_lane + 1] - p_firsts[v_lane] > 1
        and extract(epoch from p_now - v_queued_ats[k]) >= p_patience[v_lane]) then
      v_park_on[k] := null;
    end if;
    if v_head_ids[k] is null and p_states[v_lane] = 'started' then
      v_emptied := v_emptied || p_places[v_lane];
    end if;
    v_any_parked := v_any_parked or v_park_on[k] is not null;
    v_in_line := v_in_line or coalesce(v_park_on[k] <> p_user_keys[v_lane] and p_is_fair[v_lane], false);
    for j in p_firsts[v_lane] .. p_firsts[v_lane + 1] - 1 loop
      v_need := p_needs[j];
      if p_free[v_need] > 0 then
        v_wake_times[v_need] := v_wake_times[v_need] + 1;
      end if;
      if p_names[v_need] <> p_user_keys[v_lane] and p_names[v_need] is distinct from v_park_on[k] then
        v_left_routes := v_left_routes || p_routes[v_lane];
        v_left_users := v_left_users || p_user_keys[v_lane];
        v_left := v_left || p_names[v_need];
      end if;
    end loop;
  end loop;

  v_lines := v_park_on;
  if v_in_line then
    -- Of a user's lanes one stands in a resource's line, the others behind it.
    v_lines := array(
      select case
        when x.user_key is null or x.park_on = x.user_key or not x.is_fair then x.park_on
        when row_number() over (partition by x.park_on, x.route, x.user_key order by x.rank, x.id) > 1
          or (select (f.rank, f.id) < (x.rank, x.id) from interlock.first_of_user(x.park_on, x.user_key, x.route) as f)
          then interlock.sibling_line(x.park_on, x.user_key)
        else x.park_on
      end
      from (
        select u.k, u.park_on, p_routes[u.i] as route, p_user_keys[u.i] as user_key, p_is_fair[u.i] as is_fair, p_lanes[u.i] as id,
          case when p_states[u.i] = 'started' then u.rank else l.rank end as rank
        from unnest(v_ns, v_park_on, v_ranks) with ordinality as u (i, park_on, rank, k)
        join interlock.job_lanes as l on l.ctid = p_places[u.i]
      ) as x
      order by x.k
    );
  end if;

  -- An emptied lane goes; whoever enqueues into it makes it again. (One that was kept cost an update of each index to empty
  -- it, another to fill it, and a look now and then whether it was idle.)
  if v_emptied <> '{}' then
    delete from interlock.job_lanes as l
    using unnest(v_emptied) as d (place)
    where l.ctid = d.place;
  end if;
  if cardinality(v_emptied) < cardinality(v_ns) then
    update interlock.job_lanes as l
    set rank = case when d.started then d.rank else l.rank end,
        blocked_on = d.line,
        awake_by = case when d.started then pg_current_xact_id() else l.awake_by end,
        seniority = d.seniority,
        waiting_since = d.queued_at,
        turn_at = case when not d.started then l.turn_at end,
        blocked_head = case when d.line is not null then d.head_id else l.blocked_head end
    from (
      select p_places[u.i] as place, p_states[u.i] = 'started' as started, u.rank, u.line, u.seniority, u.queued_at, u.head_id
      from unnest(v_ns, v_ranks, v_lines, v_seniorities, v_queued_ats, v_head_ids) as u (i, rank, line, seniority, queued_at, head_id)
      where u.head_id is not null or p_states[u.i] <> 'started'
    ) as d
    where l.ctid = d.place;
  end if;

  if v_served_users <> '{}' then
    insert into interlock.lane_users as u (queue, user_key, last_started_at)
    select d.queue, d.user_key, p_now
    from (select distinct s.queue, s.user_key from unnest(v_served_queues, v_served_users) as s (queue, user_key) offset 0) as d
    -- As serve_user() says; for all of them at once.
    where pg_try_advisory_xact_lock(interlock.lock_key(d.user_key))
    on conflict (queue, user_key) do update
    set last_started_at = excluded.last_started_at;
  end if;

  if v_any_parked then
    insert into interlock.job_queue_log (created_at, event_type, job_id, job_type, from_status, to_status, conflict_reason, details)
    select p_now, 'blocked', d.head_id, d.kind, 'pending', 'pending', c.reason,
      jsonb_build_object('blocked_on', d.park_on, 'blocked_by_job_id', c.holder_id)
    from unnest(v_head_ids, v_kinds, v_park_on, v_is_news) as d (head_id, kind, park_on, is_news)
    cross join lateral interlock.conflict_reason(d.park_on) as c
    where d.is_news
      and d.park_on is not null;
  end if;

  if v_left <> '{}' then
    perform interlock.promote_siblings(v_left_routes, v_left_users, v_left);
  end if;

  -- A lane that parked, or was emptied, may have been woken for a resource that is free: pass it on.
  v_wake := array(select t.n from unnest(v_wake_times) with ordinality as t (times, n) where t.times > 0);
  if v_wake = '{}' then
    return '{}';
  end if;
  return interlock.wake_resources(array(select p_names[n] from unnest(v_wake) as n), array(select v_wake_times[n] from unnest(v_wake) as n));
end
$$;

comment on function interlock.settle_lanes(uuid[], tid[], boolean[], double precision[], text[], text[], text[], integer, text[], integer[], integer[], integer[], timestamptz) is
  'Writes what decide_lanes() decided of lanes: the rank from the next head (one that was emptied goes), the resource that it parks on, when its user was served, one blocked event for each head that parks; and passes on what they may have been woken for. A lane whose head vanished meanwhile stays awake, so that a claim vacates it. Where a lane does not wait for a resource any more, a sibling that stood behind it there steps up. Returns the routes of the lanes that were made awake. Locks parked lanes that it promotes or wakes, waiting for absorbers, the tick, and a claimer that came to the row before it, none of whom waits for it.';
