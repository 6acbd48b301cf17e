create function interlock.awake_from(p_route text, p_rank timestamptz, p_below xid8, p_but xid8[], p_except uuid[])
returns table (rank timestamptz)
language sql stable
as $$
  (
    select l.rank
    from interlock.job_lanes as l
    where l.route = p_route
      and l.rank is not null
      and l.blocked_on is null
      and l.rank >= coalesce(p_rank, '-infinity')
      and l.id <> all (p_except)
    order by l.rank
    limit 1
  )
  union all
  (
    -- offset 0: found in this order, whatever the caller asks of them.
    select l.rank
    from interlock.job_lanes as l
    where l.route = p_route
      and l.rank is not null
      and l.blocked_on is null
      and l.awake_by >= p_below
      and l.rank < p_rank
      and l.id <> all (p_except)
    order by l.awake_by, l.rank
    offset 0
  )
  union all
  select l.rank
  from unnest(p_but) as b (awake_by)
  cross join lateral (
    select o.rank
    from interlock.job_lanes as o
    where o.route = p_route
      and o.rank is not null
      and o.blocked_on is null
      and o.awake_by = b.awake_by
      and o.rank < p_rank
      and o.id <> all (p_except)
    order by o.awake_by, o.rank
    limit 1
  ) as l
$$;

comment on function interlock.awake_from(text, timestamptz, xid8, xid8[], uuid[]) is
  'Ranks of lanes of this route that are awake, but for the ones named: the first from the floor on (null: of all), and of those below it all that came to be awake since it was raised, or the first of each transaction that was in progress then. The least is the first of all; there is none exactly if no lane is awake. Locks nothing. Inlined into the caller''s plan, hence without a pinned search_path; all names are qualified.';
