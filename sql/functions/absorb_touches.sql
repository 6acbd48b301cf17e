create function interlock.absorb_touches(p_limit integer default 1000)
returns table (absorbed integer, left_over integer)
language plpgsql
set search_path = ''
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
set plan_cache_mode = force_generic_plan
as $$
declare
  v_floor record;
  v_below xid8;
  v_but xid8[];
  v_touches tid[];
  v_touched uuid[];
  v_new_touches tid[];
  v_new_touched uuid[];
  v_created uuid[];
  v_lanes uuid[];
  v_taken integer;
  v_any_reserving boolean;
begin
  perform interlock.check_isolation();
  p_limit := interlock.row_limit(p_limit);
  select f.below, f.but, f.raised_at, f.server_started_at = pg_postmaster_start_time() as is_ours
  into v_floor
  from interlock.touch_floor as f
  order by f.raised_at desc
  limit 1;
  v_below := case when v_floor.is_ours then v_floor.below else '0' end;
  v_but := case when v_floor.is_ours then v_floor.but else '{}' end;
  if v_floor.is_ours is not true or v_floor.raised_at < interlock.clock() - interval '100 ms' then
    perform interlock.raise_touch_floor();
  end if;
  select coalesce(array_agg(t.place), '{}'), coalesce(array_agg(t.lane_id), '{}')
  into v_touches, v_touched
  from (
    select x.place, x.lane_id
    from unnest(v_but) as b (inserted_by)
    -- One probe each: a join planned while the table was empty read all of it, and what is dead in it.
    cross join lateral (
      select y.ctid as place, y.lane_id
      from interlock.job_lane_touches as y
      where y.inserted_by = b.inserted_by
      limit p_limit
      for update skip locked
    ) as x
    limit p_limit
  ) as t;
  select v_touches || coalesce(array_agg(t.place), '{}'), v_touched || coalesce(array_agg(t.lane_id), '{}')
  into v_touches, v_touched
  from (
    select x.ctid as place, x.lane_id
    from interlock.job_lane_touches as x
    where x.inserted_by >= v_below
    order by x.inserted_by
    limit p_limit - cardinality(v_touches)
    for update skip locked
  ) as t;
  v_taken := cardinality(v_touches);
  if v_taken = 0 then
    absorbed := 0;
    left_over := 0;
    return next;
    return;
  end if;

  -- One probe each, said so that no plan made of an empty table reads the whole of it for each instead (150 us a lane).
  select coalesce(array_agg(x.place) filter (where x.is_missing), '{}'), coalesce(array_agg(x.lane_id) filter (where x.is_missing), '{}'),
    coalesce(array_agg(x.place) filter (where not x.is_missing), '{}'), coalesce(array_agg(x.lane_id) filter (where not x.is_missing), '{}')
  into v_new_touches, v_new_touched, v_touches, v_touched
  from (
    select u.place, u.lane_id, there.id is null as is_missing
    from unnest(v_touches, v_touched) as u (place, lane_id)
    left join lateral (select l.id from interlock.job_lanes as l where l.id = u.lane_id limit 1) as there on true
  ) as x;
  -- Made with their heads, which were there before their touches were taken. In sorted order and before any lane is locked:
  -- creating may wait for another absorber that creates the same.
  if v_new_touched <> '{}' then
    with created as (
      insert into interlock.job_lanes (id, route, task, resources, rank, seniority, waiting_since)
      select u.lane_id, j.queue || '/' || j.permission_level, j.task, j.resources,
        interlock.lane_rank(q.scheduling, j.seniority, j.queued_at, x.last_started_at, null), j.seniority, j.queued_at
      from (select distinct t.lane_id from unnest(v_new_touched) as t (lane_id) order by t.lane_id) as u
      cross join lateral (
        select k.queue, k.permission_level, k.task, k.resources, k.seniority, k.queued_at
        from interlock.jobs as k
        where k.lane_id = u.lane_id and k.status = 'pending'
        order by k.seniority, k.id
        limit 1
      ) as j
      join interlock.queues as q on q.name = j.queue
      left join lateral (
        select y.last_started_at
        from interlock.lane_users as y
        where y.queue = j.queue and y.user_key = j.resources[1]
        limit 1
      ) as x on true
      order by u.lane_id
      on conflict (id) do nothing
      returning id
    )
    select coalesce(array_agg(c.id), '{}') into v_created from created as c;
    -- Nearly always all of them. Those that somebody else made meanwhile, or that have no head any more, are for the rest of this.
    if cardinality(v_created) < (select count(distinct t) from unnest(v_new_touched) as t) then
      select v_touches || coalesce(array_agg(t.place), '{}'), v_touched || coalesce(array_agg(t.lane_id), '{}')
      into v_touches, v_touched
      from unnest(v_new_touches, v_new_touched) as t (place, lane_id)
      where t.lane_id <> all (v_created);
      v_new_touches := array(
        select t.place from unnest(v_new_touches, v_new_touched) as t (place, lane_id) where t.lane_id = any (v_created)
      );
    end if;
  end if;

  -- Each touch beside the lane that could be locked for it: one look for each, not each against all the others.
  select
    coalesce(array_agg(x.place) filter (where x.locked is not null or x.is_gone), '{}'),
    coalesce(array_agg(distinct x.locked) filter (where x.locked is not null), '{}')
  into v_touches, v_lanes
  from (
    select u.place, l.locked,
      -- Neither a lane nor anything pending for one: the touch has nothing to say. (The lane may have been there a statement
      -- ago, empty, in the hands of who collected it.)
      l.locked is null
        and not exists (select from interlock.job_lanes as k where k.id = u.lane_id)
        and not exists (select from interlock.jobs as j where j.lane_id = u.lane_id and j.status = 'pending') as is_gone
    from (
      select y.place, y.lane_id
      from unnest(v_touches, v_touched) as y (place, lane_id)
      order by y.lane_id
    ) as u
    left join lateral (
      select k.id as locked
      from interlock.job_lanes as k
      where k.id = u.lane_id
      for no key update skip locked
    ) as l on true
  ) as x;
  -- Only what was taken, before the heads are read: a touch that comes in between speaks of a head that may be missed.
  delete from interlock.job_lane_touches as t
  using unnest(v_touches || v_new_touches) as u (place)
  where t.ctid = u.place;
  get diagnostics absorbed = row_count;

  v_any_reserving := interlock.any_reserving();
  with heads as materialized (
    select l.ctid as place, h.id as head_id, h.seniority, h.queued_at,
      case when h.id is not null then
        interlock.lane_rank(q.scheduling, h.seniority, h.queued_at, u.last_started_at, l.turn_at)
      end as rank
    from unnest(v_lanes) as v (id)
    join interlock.job_lanes as l on l.id = v.id
    join interlock.queues as q on q.name = split_part(l.route, '/', 1)
    left join lateral (
      select j.id, j.seniority, j.queued_at
      from interlock.jobs as j
      where j.lane_id = v.id and j.status = 'pending'
      order by j.seniority, j.id
      limit 1
    ) as h on true
    left join lateral (
      select x.last_started_at
      from interlock.lane_users as x
      where x.queue = q.name and x.user_key = l.resources[1]
      limit 1
    ) as u on true
  )
  update interlock.job_lanes as l
  set rank = case
        when h.head_id is not null then case when l.reserving then least(l.rank, h.rank) else h.rank end
        when l.blocked_on is not null and not l.reserving and (l.resources[1] not like 'user:%' or l.blocked_on = l.resources[1]) then null
        else l.rank
      end,
      seniority = h.seniority,
      waiting_since = coalesce(h.queued_at, l.waiting_since),
      awake_by = pg_current_xact_id(),
      -- Empty, or touched while it reserves (a reservation may have been taken from it): awake, so that a claim sees to it. But
      -- nothing is owed by an empty one that only waited; unless others of its user may stand behind it.
      -- So is one that became more senior while somebody reserves: what was kept for another may be its own now.
      blocked_on = case when h.head_id is not null and not l.reserving and not (v_any_reserving and h.rank < l.rank) then l.blocked_on end
  from heads as h
  where l.ctid = h.place
    and (l.reserving
      or (h.head_id is null and l.blocked_on is not null)
      or (h.head_id is not null and (l.rank is distinct from h.rank or l.seniority is distinct from h.seniority or l.waiting_since is distinct from h.queued_at)));

  left_over := v_taken - absorbed;
  if v_taken = p_limit then
    left_over := left_over + (
      exists (select from interlock.job_lane_touches as t where t.inserted_by >= v_below)
      or exists (
        select
        from unnest(v_but) as b (inserted_by)
        cross join lateral (select from interlock.job_lane_touches as t where t.inserted_by = b.inserted_by limit 1) as t
      )
    )::integer;
  end if;
  return next;
end
$$;

comment on function interlock.absorb_touches(integer) is
  'Folds up to p_limit touches into lanes: each touched lane''s true head is read from jobs and its rank set. A transaction of its own, committed before a claim. Returns how many touches it took away, and how many it knows that it left (somebody has their lane, or there were more): come back for those.
Locks touches, SKIP LOCKED; creates missing lanes in sorted order before it locks any; lanes by id, SKIP LOCKED. It locks no resource and wakes nobody: what may owe a wake (an empty lane that is awake or reserving) is left awake for a claim to vacate.';
