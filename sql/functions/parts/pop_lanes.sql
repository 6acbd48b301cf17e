create function interlock.pop_lanes(
  p_routes text[], p_scheduling text[], p_patience double precision[], p_but uuid[], p_limit integer, p_locks integer, p_corrections integer,
  p_now timestamptz,
  out popped integer, out corrected integer, out is_floor_old boolean, out lanes uuid[], out places tid[], out ranks timestamptz[], out reserving boolean[], out is_fair boolean[],
  out patience double precision[], out routes text[], out user_keys text[]
)
language plpgsql
set search_path = ''
as $$
declare
  v_after_rank timestamptz := '-infinity';
  c_first_id constant uuid := '00000000-0000-0000-0000-000000000000';
  v_after_id uuid := c_first_id;
  v_locks integer := p_locks;
  v_lanes uuid[];
  v_places tid[];
  v_ranks timestamptz[];
  v_true_ranks timestamptz[];
  v_due boolean[];
  v_is_floor_old boolean;
  v_reserving boolean[];
  v_is_fair boolean[];
  v_patience double precision[];
  v_routes text[];
  v_firsts text[];
  v_needs integer[];
  v_late integer[];
  v_turns tid[];
begin
  popped := 0;
  corrected := 0;
  is_floor_old := false;
  lanes := '{}';
  places := '{}';
  ranks := '{}';
  reserving := '{}';
  is_fair := '{}';
  patience := '{}';
  routes := '{}';
  user_keys := '{}';
  -- Corrected lanes leave gaps, which are filled from where the last look ended: the rest is not popped, locked and looked at again.
  while cardinality(lanes) < p_limit and corrected < p_corrections and v_locks > 0 loop
    select array_agg(p.id), array_agg(p.place), array_agg(p.rank),
      array_agg(interlock.lane_rank(p.scheduling, p.seniority, p.waiting_since, p.last_started_at, p.turn_at)),
      array_agg(p.turn_at is null and extract(epoch from p_now - p.waiting_since) >= p.patience_seconds
        and (p.last_turn_at is null or extract(epoch from p_now - p.last_turn_at) >= p.patience_seconds)),
      bool_or(p.raised_at is null or p.raised_at < p_now - interval '50 ms'),
      array_agg(p.reserving), array_agg(p.scheduling = 'fair'), array_agg(p.patience_seconds), array_agg(p.route), array_agg(p.first), array_agg(p.needs)
    into v_lanes, v_places, v_ranks, v_true_ranks, v_due, v_is_floor_old, v_reserving, v_is_fair, v_patience, v_routes, v_firsts, v_needs
    from (
      select r.route, r.scheduling, r.patience_seconds, f.raised_at, l.id, l.place, l.rank, l.reserving, l.seniority, l.waiting_since, l.turn_at, l.first, l.needs,
        u.last_started_at, u.last_turn_at
      from unnest(p_routes, p_scheduling, p_patience) as r (route, scheduling, patience_seconds)
      left join lateral interlock.floor_of(r.route) as f on true
      cross join lateral (
        select x.id, x.place, x.rank, x.reserving, x.seniority, x.waiting_since, x.turn_at, x.needs, x.first
        from (
          select k.id, k.ctid as place, k.rank, k.reserving, k.seniority, k.waiting_since, k.turn_at,
            cardinality(k.resources) as needs, k.resources[1] as first
          from interlock.job_lanes as k
          where k.route = r.route
            and k.rank is not null
            and k.blocked_on is null
            -- One bound: of two the index was read from the lower one, and the other asked of each entry.
            and (k.rank, k.id) > (greatest(f.rank, v_after_rank), case when f.rank > v_after_rank then c_first_id else v_after_id end)
            and k.id <> all (p_but)
          order by k.rank, k.id
          limit p_limit - cardinality(lanes)
          for no key update skip locked
        ) as x
        union all
        -- Sooner than the floor, made awake since it was raised. Found by that, said by the order: the index of ranks would
        -- find them too, behind all that the floor is there to pass by.
        select y.id, y.place, y.rank, y.reserving, y.seniority, y.waiting_since, y.turn_at, y.needs, y.first
        from (
          select k.id, k.ctid as place, k.rank, k.reserving, k.seniority, k.waiting_since, k.turn_at,
            cardinality(k.resources) as needs, k.resources[1] as first
          from (
            select e.place
            from (
              (
                select x.ctid as place, x.rank, x.id
                from interlock.job_lanes as x
                where x.route = r.route
                  and x.rank is not null
                  and x.blocked_on is null
                  and x.awake_by >= f.below
                  and x.rank < f.rank
                order by x.awake_by, x.rank
                offset 0
              )
              union all
              select x.place, x.rank, x.id
              from unnest(f.but) as b (awake_by)
              cross join lateral (
                select x.ctid as place, x.rank, x.id
                from interlock.job_lanes as x
                where x.route = r.route
                  and x.rank is not null
                  and x.blocked_on is null
                  and x.awake_by = b.awake_by
                  and x.rank < f.rank
                order by x.awake_by, x.rank
                offset 0
              ) as x
            ) as e
            where (e.rank, e.id) > (v_after_rank, v_after_id)
              and e.id <> all (p_but)
            order by e.rank, e.id
            limit p_limit - cardinality(lanes)
          ) as e
          join interlock.job_lanes as k on k.ctid = e.place
          where k.rank is not null
            and k.blocked_on is null
            and k.route = r.route
          for no key update of k skip locked
        ) as y
      ) as l
      left join lateral (
        select x.last_started_at, x.last_turn_at
        from interlock.lane_users as x
        where x.queue = split_part(r.route, '/', 1) and x.user_key = l.first
          and r.scheduling = 'fair' and not l.reserving
        limit 1
      ) as u on true
      order by l.rank, l.id
      limit p_limit - cardinality(lanes)
    ) as p;
    exit when v_lanes is null;

    is_floor_old := is_floor_old or v_is_floor_old;
    popped := popped + cardinality(v_lanes);
    v_after_rank := v_ranks[cardinality(v_lanes)];
    v_after_id := v_lanes[cardinality(v_lanes)];
    v_late := '{}';
    for i in 1 .. cardinality(v_lanes) loop
      if v_true_ranks[i] > v_ranks[i] and not v_reserving[i] then
        v_late := v_late || i;
      else
        v_locks := v_locks - v_needs[i];
        if v_locks >= 0 then
          lanes := lanes || v_lanes[i];
          places := places || v_places[i];
          ranks := ranks || v_ranks[i];
          reserving := reserving || v_reserving[i];
          is_fair := is_fair || v_is_fair[i];
          patience := patience || v_patience[i];
          routes := routes || v_routes[i];
          user_keys := user_keys || case when v_firsts[i] like 'user:%' then v_firsts[i] end;
        end if;
      end if;
    end loop;
    exit when v_late = '{}';

    corrected := corrected + cardinality(v_late);
    v_turns := '{}';
    if true = any (array(select v_due[n] from unnest(v_late) as n)) then
      -- The oldest of each user keeps its place from now on. Whoever else is writing of that user just now has the say.
      with first as materialized (
        select distinct on (d.queue, d.user_key) d.queue, d.user_key, l.ctid as place
        from (
          select v_places[n] as place, split_part(v_routes[n], '/', 1) as queue, v_firsts[n] as user_key
          from unnest(v_late) as n
          where v_due[n]
        ) as d
        join interlock.job_lanes as l on l.ctid = d.place
        order by d.queue, d.user_key, l.waiting_since, l.id
      ),
      -- By the try of the user's lock, as whoever notes that a user was served: two that each had written of the other's
      -- next user waited for each other (a deadlock in one of 26 runs of the chaos harness).
      mine as materialized (
        select f.place, f.queue, f.user_key
        from first as f
        where pg_try_advisory_xact_lock(interlock.lock_key(f.user_key))
      ),
      locked as materialized (
        select f.place, u.place as user_place
        from mine as f
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
    from (select v_places[n] as place, v_true_ranks[n] as rank from unnest(v_late) as n) as r
    where l.ctid = r.place;
  end loop;
end
$$;

comment on function interlock.pop_lanes(text[], text[], double precision[], uuid[], integer, integer, integer, timestamptz) is
  'The first awake lanes of these routes (with the scheduling and patience of their queues), merged by rank, locked, SKIP LOCKED; as many as p_limit, and as need no more than p_locks locks. A rank that has grown stale (its user was served meanwhile) is corrected now, when it is popped, and its lane left out, to wait for its new place; but it keeps the old one for good, which is a turn, if its head has waited beyond the patience and no other lane of its user was given one within it. Others are popped in its place, until p_corrections were made. Looks from lane_floors on. Locks: the lanes, SKIP LOCKED; of the users that a turn is given to their resources'' locks, by try, and their rows, SKIP LOCKED; waits for nobody. Returns how many were popped, how many of them corrected, whether a floor is to be raised, and the rest in order of rank, each with its rank and its place in the table (a locked row does not move, and its place is found without a descent of an index), its route, and the key of its user, if its jobs have one.';
