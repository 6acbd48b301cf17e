create function interlock.decide_lanes(
  p_lanes uuid[], p_places tid[], p_reserving boolean[], p_is_fair boolean[], p_patience double precision[], p_from integer,
  p_pair_lanes integer[], p_pair_names integer[], p_locked boolean[], p_free integer[], p_contested boolean[],
  p_room integer, p_now timestamptz
) returns table (start_places tid[], grant_jobs integer[], grant_names integer[], states text[], upto integer, special boolean[])
language plpgsql
set search_path = ''
as $$
declare
  v_mismatch boolean;
begin
  with needs as materialized (
    select p.lane as i, array_agg(p.n order by p.ord) as names, min(p_free[p.n]) as free,
      bool_or(not p_locked[p.n]) as is_contended, bool_or(p_contested[p.n]) as is_contested
    from unnest(p_pair_lanes, p_pair_names) with ordinality as p (lane, n, ord)
    where p.lane >= p_from
    group by p.lane
    union all
    select g.i, '{}', p_room, false, false
    from generate_series(p_from, cardinality(p_lanes)) as g (i)
    where g.i <> all (p_pair_lanes)
  ),
  seen as materialized (
    select n.i, n.names, n.free, n.is_contended, h.id is not null as has_head, h.resources <> l.resources as is_mismatch,
      cardinality(n.names) > 1 and extract(epoch from p_now - h.queued_at) >= p_patience[n.i] as is_overdue,
      n.is_contested or p_reserving[n.i] or h.id is null as is_special
    from needs as n
    join interlock.job_lanes as l on l.ctid = p_places[n.i]
    left join lateral (
      select j.id, j.queued_at, j.resources
      from interlock.jobs as j
      where j.lane_id = p_lanes[n.i] and j.status = 'pending'
      order by j.seniority, j.id
      limit 1
    ) as h on true
  ),
  stop as materialized (
    -- Up to the first lane that is not the everyday case: one that reserves, stands beside a reservation, is empty, or may reserve.
    select coalesce(min(s.i), cardinality(p_lanes) + 1) as at
    from seen as s
    where not s.is_contended
      and (s.is_special or (s.free < 1 and s.is_overdue))
  ),
  pass_on as materialized (
    -- Where room is short, also up to the first that is blocked and has something to pass on: who is woken by it may be
    -- more senior than the rest of the batch, and comes first.
    select coalesce(min(s.i) + 1, cardinality(p_lanes) + 1) as at
    from seen as s
    where p_room <= 4
      and not s.is_contended
      and s.free < 1
      and exists (select from unnest(s.names) as n (n) where p_free[n.n] > 0)
  ),
  bound as materialized (
    select least(t.at, o.at) as at
    from stop as t
    cross join pass_on as o
  ),
  heads as materialized (
    -- Only the heads that may start are locked: as many as the scarcest of the lane's resources has slots.
    select s.i, s.names, h.id, h.place, h.rank
    from seen as s
    cross join lateral (
      select j.id, j.ctid as place,
        case when p_is_fair[s.i] and j.user_name is not null then greatest(j.seniority, p_now + (j.seniority - j.queued_at)) else j.seniority end as rank
      from interlock.jobs as j
      where j.lane_id = p_lanes[s.i] and j.status = 'pending'
      order by j.seniority, j.id
      limit least(s.free, p_room)
      for no key update of j skip locked
    ) as h
    where s.i < (select t.at from bound as t)
      and not s.is_contended
      and s.free > 0
  ),
  turns as materialized (
    -- The first head of each lane in the lanes' order; further heads of a lane after those, by rank.
    select x.i, x.names, x.place, x.k, row_number() over (order by (x.k > 1), case when x.k = 1 then x.i end, x.rank, x.i, x.k)::integer as turn
    from (select h.i, h.names, h.place, h.rank, row_number() over (partition by h.i order by h.rank, h.id) as k from heads as h) as x
  ),
  asked as (
    select t.turn, n.n, count(*) over (partition by n.n order by t.turn rows unbounded preceding) as nth
    from turns as t
    cross join lateral unnest(t.names) as n (n)
  ),
  too_late as materialized (
    select distinct a.turn
    from asked as a
    where a.nth > p_free[a.n]
  ),
  starts as materialized (
    select t.i, t.names, t.place as head_place, row_number() over (order by t.turn)::integer as place
    from turns as t
    where t.turn <> all (array(select l.turn from too_late as l))
      and t.turn <= p_room
  )
  select
    (select coalesce(array_agg(s.head_place order by s.place), '{}') from starts as s),
    (select coalesce(array_agg(s.place order by s.place, n.ord), '{}') from starts as s cross join lateral unnest(s.names) with ordinality as n (n, ord)),
    (select coalesce(array_agg(n.n order by s.place, n.ord), '{}') from starts as s cross join lateral unnest(s.names) with ordinality as n (n, ord)),
    (
      select array_fill('past'::text, array[p_from - 1]) || array_agg(
        case
          when s.i >= t.at then 'left'
          when s.is_contended then 'contended'
          when s.free < 1 then 'blocked'
          when s.i = any (array(select x.i from starts as x)) then 'started'
          when s.i <> all (array(select h.i from heads as h)) then 'contended'
          when s.is_overdue then 'left'
          else 'beaten'
        end order by s.i)
      from seen as s
    ),
    t.at,
    (select array_fill(false, array[p_from - 1]) || array_agg(not s.is_contended and (s.is_special or (s.free < 1 and s.is_overdue)) order by s.i) from seen as s),
    (select bool_or(s.is_mismatch) from seen as s)
  into start_places, grant_jobs, grant_names, states, upto, special, v_mismatch
  from bound as t;
  if v_mismatch then
    raise exception using errcode = 'XX000', message = 'interlock: a job and its lane name different resources', hint = 'Look at interlock.violations.';
  end if;
  return next;
end
$$;

comment on function interlock.decide_lanes(uuid[], tid[], boolean[], boolean[], double precision[], integer, integer[], integer[], boolean[], integer[], boolean[], integer, timestamptz) is
  'Decides the everyday lanes of a batch, from the p_from-th in order of rank to the first that needs every rule, or that must pass on what it was woken for (upto): which heads start, and the grants of each (place of the job, place of the resource). Of two lanes that want the same last slot the more senior has it. states says of each lane: started, blocked (parks), beaten by a more senior one of the batch (parks if that left nothing), contended (a lock or its head is somebody else''s), left (for later). One statement for the whole batch. Locks the heads that may start, SKIP LOCKED, and returns their places.';
