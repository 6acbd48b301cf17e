create function interlock.wake_patient_lanes(p_after text default '', p_limit integer default 200)
returns table (woken integer, next_after text)
language plpgsql
set search_path = ''
set enable_seqscan = off
as $$
declare
  v_now timestamptz := interlock.clock();
  v_resources text[];
  v_routes text[];
begin
  -- Who may reserve is the most senior on its obstacle; so a look at one lane for each obstacle and route finds all, however long the lines are.
  -- (After a name and a blank: past those who stand behind a sibling there, who may not.)
  with recursive obstacle (resource, n) as (
    (select l.blocked_on, 1 from interlock.job_lanes as l where l.blocked_on >= p_after || ' ' order by l.blocked_on limit 1)
    union all
    select (select l.blocked_on from interlock.job_lanes as l where l.blocked_on >= o.resource || ' ' order by l.blocked_on limit 1), o.n + 1
    from obstacle as o
    where o.resource is not null
      and o.n < interlock.row_limit(p_limit)
  )
  select array_agg(o.resource order by o.resource), case when count(*) >= p_limit then max(o.resource) else '' end
  into v_resources, next_after
  from obstacle as o
  where o.resource is not null;

  with first as materialized (
    select distinct l.id
    from unnest(v_resources) as o (resource)
    cross join lateral unnest(interlock.served_routes(v_now)) as r (route)
    cross join lateral (
      select x.id, x.rank, x.waiting_since, x.route, x.task, x.resources, x.reserving, x.blocked_on
      from interlock.job_lanes as x
      where x.blocked_on = o.resource
        and x.route = r.route
      order by x.rank, x.id
      limit 1
    ) as l
    where not l.reserving
      and interlock.may_reserve(l.id, l.rank, l.waiting_since, l.route, l.task, l.resources, l.blocked_on, v_now)
  ),
  locked as materialized (
    select l.id
    from interlock.job_lanes as l
    where l.id = any (array(select f.id from first as f))
      and l.blocked_on is not null
      and not l.reserving
    order by l.id
    for no key update skip locked
  ),
  moved as (
    update interlock.job_lanes as l
    set blocked_on = null,
        awake_by = pg_current_xact_id()
    from locked as k
    where l.id = k.id
    returning l.route
  )
  select count(*), array_agg(distinct m.route) into woken, v_routes from moved as m;
  perform interlock.ring(coalesce(v_routes, '{}'));
  next_after := coalesce(next_after, '');
  return next;
end
$$;

comment on function interlock.wake_patient_lanes(text, integer) is
  'Makes awake the parked lanes that have come to be allowed to reserve (their patience is over and they are next in line), looking at up to p_limit obstacles after p_after. Returns how many, and from where to go on (empty: from the start). Locks lanes, SKIP LOCKED; waits for nobody. Run by the tick.';
