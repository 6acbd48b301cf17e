create function interlock.pop_lanes(p_routes text[], p_but uuid[], p_limit integer, p_locks integer, p_corrections integer, p_now timestamptz)
returns table (popped integer, corrected integer, lanes uuid[], reserving boolean[], patience double precision[])
language plpgsql
set search_path = ''
as $$
declare
  v_after_rank timestamptz := '-infinity';
  v_after_id uuid := '00000000-0000-0000-0000-000000000000';
  v_popped integer;
  v_late uuid[];
  v_late_ranks timestamptz[];
  v_lanes uuid[];
  v_reserving boolean[];
  v_patience double precision[];
  v_locks integer;
begin
  popped := 0;
  corrected := 0;
  lanes := '{}';
  reserving := '{}';
  patience := '{}';
  v_locks := p_locks;
  -- Corrected lanes leave gaps, which are filled from where the last look ended: the rest is not popped, locked and looked at again.
  while cardinality(lanes) < p_limit and corrected < p_corrections loop
    with popped as materialized (
      select l.id, l.route, l.rank, l.reserving, l.last_started_at, l.user_key, l.needs
      from unnest(p_routes) as r (route)
      cross join lateral (
        select x.id, x.route, x.rank, x.reserving, x.last_started_at, cardinality(x.resources) as needs,
          case when x.resources[1] like 'user:%' then x.resources[1] end as user_key
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
      select p.id, p.rank, p.reserving, p.needs, q.patience_seconds,
        case when h.seniority is not null and not p.reserving then
          interlock.lane_rank(q.scheduling, q.patience_seconds, h.seniority, h.queued_at, u.last_started_at, p.last_started_at)
        end as true_rank
      from popped as p
      join interlock.queues as q on q.name = split_part(p.route, '/', 1)
      left join lateral (
        select j.seniority, j.queued_at
        from interlock.jobs as j
        where j.lane_id = p.id and j.status = 'pending'
        order by j.seniority, j.id
        limit 1
      ) as h on true
      left join lateral (
        select x.last_started_at
        from interlock.lane_users as x
        where x.queue = q.name and x.user_key = p.user_key
        limit 1
      ) as u on true
    ),
    placed as (
      select r.id, r.rank, r.reserving, r.patience_seconds, r.true_rank,
        coalesce(r.true_rank > r.rank, false) as is_late,
        sum(case when r.true_rank > r.rank then 0 else r.needs end) over (order by r.rank, r.id) as locks
      from ranked as r
    )
    select
      count(*),
      coalesce(array_agg(p.id order by p.rank, p.id) filter (where not p.is_late and p.locks <= v_locks), '{}'),
      coalesce(array_agg(p.reserving order by p.rank, p.id) filter (where not p.is_late and p.locks <= v_locks), '{}'),
      coalesce(array_agg(p.patience_seconds order by p.rank, p.id) filter (where not p.is_late and p.locks <= v_locks), '{}'),
      v_locks - coalesce(max(p.locks), 0),
      array_agg(p.id) filter (where p.is_late),
      array_agg(p.true_rank) filter (where p.is_late),
      (array_agg(p.rank order by p.rank desc, p.id desc))[1],
      (array_agg(p.id order by p.rank desc, p.id desc))[1]
    into v_popped, v_lanes, v_reserving, v_patience, v_locks, v_late, v_late_ranks, v_after_rank, v_after_id
    from placed as p;
    exit when v_popped = 0;

    popped := popped + v_popped;
    lanes := lanes || v_lanes;
    reserving := reserving || v_reserving;
    patience := patience || v_patience;
    exit when v_late is null;
    corrected := corrected + cardinality(v_late);
    update interlock.job_lanes as l
    set rank = r.rank
    from unnest(v_late, v_late_ranks) as r (id, rank)
    where l.id = r.id;
    exit when v_locks <= 0;
  end loop;
  return next;
end
$$;

comment on function interlock.pop_lanes(text[], uuid[], integer, integer, integer, timestamptz) is
  'The first awake lanes of these routes, merged by rank, locked, SKIP LOCKED; as many as p_limit, and as need no more than p_locks locks. A rank that has grown stale (its user was served meanwhile) is corrected now, when it is popped, and its lane left out, to wait for its new turn; others are popped in its place, until p_corrections were made. Returns how many were popped, how many of them corrected, and the rest in order of rank.';
