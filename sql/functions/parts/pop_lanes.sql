create function interlock.pop_lanes(
  p_routes text[], p_scheduling text[], p_patience double precision[], p_but uuid[], p_limit integer, p_locks integer, p_corrections integer,
  p_now timestamptz
) returns table (popped integer, corrected integer, lanes uuid[], places tid[], reserving boolean[], is_fair boolean[], patience double precision[])
language plpgsql
set search_path = ''
as $$
declare
  v_after_rank timestamptz := '-infinity';
  v_after_id uuid := '00000000-0000-0000-0000-000000000000';
  v_popped integer;
  v_late tid[];
  v_late_ranks timestamptz[];
  v_due tid[];
  v_due_queues text[];
  v_due_users text[];
  v_turns tid[];
  v_lanes uuid[];
  v_places tid[];
  v_reserving boolean[];
  v_is_fair boolean[];
  v_patience double precision[];
  v_locks integer;
begin
  popped := 0;
  corrected := 0;
  lanes := '{}';
  places := '{}';
  reserving := '{}';
  is_fair := '{}';
  patience := '{}';
  v_locks := p_locks;
  -- Corrected lanes leave gaps, which are filled from where the last look ended: the rest is not popped, locked and looked at again.
  while cardinality(lanes) < p_limit and corrected < p_corrections loop
    with popped as materialized (
      select r.route, r.scheduling, r.patience_seconds, l.id, l.place, l.rank, l.reserving, l.seniority, l.waiting_since, l.turn_at, l.first, l.needs
      from unnest(p_routes, p_scheduling, p_patience) as r (route, scheduling, patience_seconds)
      cross join lateral (
        select x.id, x.ctid as place, x.rank, x.reserving, x.seniority, x.waiting_since, x.turn_at,
          cardinality(x.resources) as needs, x.resources[1] as first
        from interlock.job_lanes as x
        where x.route = r.route
          and x.rank is not null
          and x.blocked_on is null
          and (x.rank, x.id) > (v_after_rank, v_after_id)
          and x.id <> all (p_but)
        order by x.rank, x.id
        limit p_limit - cardinality(lanes)
        for no key update skip locked
      ) as l
      order by l.rank, l.id
      limit p_limit - cardinality(lanes)
    ),
    ranked as materialized (
      select p.id, p.place, p.rank, p.reserving, p.needs, p.scheduling = 'fair' as is_fair, p.patience_seconds,
        interlock.lane_rank(p.scheduling, p.seniority, p.waiting_since, u.last_started_at, p.turn_at) as true_rank,
        p.turn_at is null and extract(epoch from p_now - p.waiting_since) >= p.patience_seconds
          and (u.last_turn_at is null or extract(epoch from p_now - u.last_turn_at) >= p.patience_seconds) as is_due,
        p.waiting_since, split_part(p.route, '/', 1) as queue, p.first
      from popped as p
      left join lateral (
        select x.last_started_at, x.last_turn_at
        from interlock.lane_users as x
        where x.queue = split_part(p.route, '/', 1) and x.user_key = p.first
          and p.scheduling = 'fair' and not p.reserving
        limit 1
      ) as u on true
    ),
    placed as (
      select r.id, r.place, r.rank, r.reserving, r.is_fair, r.patience_seconds, r.true_rank,
        r.is_due, r.waiting_since, r.queue, r.first,
        coalesce(r.true_rank > r.rank and not r.reserving, false) as is_late,
        sum(case when r.true_rank > r.rank and not r.reserving then 0 else r.needs end) over (order by r.rank, r.id) as locks
      from ranked as r
    )
    select
      count(*),
      coalesce(array_agg(p.id order by p.rank, p.id) filter (where not p.is_late and p.locks <= v_locks), '{}'),
      coalesce(array_agg(p.place order by p.rank, p.id) filter (where not p.is_late and p.locks <= v_locks), '{}'),
      coalesce(array_agg(p.reserving order by p.rank, p.id) filter (where not p.is_late and p.locks <= v_locks), '{}'),
      coalesce(array_agg(p.is_fair order by p.rank, p.id) filter (where not p.is_late and p.locks <= v_locks), '{}'),
      coalesce(array_agg(p.patience_seconds order by p.rank, p.id) filter (where not p.is_late and p.locks <= v_locks), '{}'),
      v_locks - coalesce(max(p.locks), 0),
      array_agg(p.place) filter (where p.is_late),
      array_agg(p.true_rank) filter (where p.is_late),
      array_agg(p.place order by p.waiting_since, p.id) filter (where p.is_late and p.is_due),
      array_agg(p.queue order by p.waiting_since, p.id) filter (where p.is_late and p.is_due),
      array_agg(p.first order by p.waiting_since, p.id) filter (where p.is_late and p.is_due),
      (array_agg(p.rank order by p.rank desc, p.id desc))[1],
      (array_agg(p.id order by p.rank desc, p.id desc))[1]
    into v_popped, v_lanes, v_places, v_reserving, v_is_fair, v_patience, v_locks, v_late, v_late_ranks, v_due, v_due_queues, v_due_users, v_after_rank, v_after_id
    from placed as p;
    exit when v_popped = 0;

    popped := popped + v_popped;
    lanes := lanes || v_lanes;
    places := places || v_places;
    reserving := reserving || v_reserving;
    is_fair := is_fair || v_is_fair;
    patience := patience || v_patience;
    exit when v_late is null;
    corrected := corrected + cardinality(v_late);
    v_turns := '{}';
    if v_due is not null then
      -- The oldest of each user keeps its place from now on. Whoever else is writing of that user just now has the say.
      with first as materialized (
        select distinct on (d.queue, d.user_key) d.queue, d.user_key, d.place
        from unnest(v_due, v_due_queues, v_due_users) with ordinality as d (place, queue, user_key, n)
        order by d.queue, d.user_key, d.n
      ),
      locked as materialized (
        select f.place, u.place as user_place
        from first as f
        cross join lateral (
          select x.ctid as place
          from interlock.lane_users as x
          where x.queue = f.queue
            and x.user_key = f.user_key
          for no key update skip locked
        ) as u
      ),
      noted as (
        update interlock.lane_users as u
        set last_turn_at = p_now
        from locked as k
        where u.ctid = k.user_place
      )
      select coalesce(array_agg(k.place), '{}') into v_turns from locked as k;
    end if;
    update interlock.job_lanes as l
    set rank = case when r.place = any (v_turns) then l.rank else r.rank end,
        turn_at = case when r.place = any (v_turns) then l.rank - (l.seniority - l.waiting_since) else l.turn_at end
    from unnest(v_late, v_late_ranks) as r (place, rank)
    where l.ctid = r.place;
    exit when v_locks <= 0;
  end loop;
  return next;
end
$$;

comment on function interlock.pop_lanes(text[], text[], double precision[], uuid[], integer, integer, integer, timestamptz) is
  'The first awake lanes of these routes (with the scheduling and patience of their queues), merged by rank, locked, SKIP LOCKED; as many as p_limit, and as need no more than p_locks locks. A rank that has grown stale (its user was served meanwhile) is corrected now, when it is popped, and its lane left out, to wait for its new place; but it keeps the old one for good, which is a turn, if its head has waited beyond the patience and no other lane of its user was given one within it. Others are popped in its place, until p_corrections were made. Returns how many were popped, how many of them corrected, and the rest in order of rank, each with its place in the table: a locked row does not move, and its place is found without a descent of an index.';
