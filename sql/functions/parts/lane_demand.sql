create function interlock.lane_demand(p_route text, p_task text, p_resources text[])
returns table (ord integer, resource text, capacity integer, is_paused boolean)
language sql stable
as $$
  select
    row_number() over (order by interlock.resource_order(d.resource), d.resource collate "C")::integer,
    d.resource,
    m.capacity,
    m.is_paused
  from (
    with named as (
      select u.resource
      from unnest(p_resources) as u (resource)
      union
      select i.resource
      from (values ('limit:all'), ('queue:' || split_part(p_route, '/', 1)), ('task:' || p_task)) as i (resource)
      -- A manual lock is no work, and does not count as some.
      where (i.resource <> 'limit:all' or p_route not like 'locks/%')
        and exists (
        select
        from interlock.resource_limits as l
        where l.pattern = i.resource
          or (l.pattern like '%*' and starts_with(i.resource, left(l.pattern, -1)))
      )
    )
    select n.resource
    from named as n
    union all
    select 'rate:' || n.resource
    from named as n
    where exists (select from interlock.resource_limits as l where l.starts_per_minute is not null)
      and interlock.rate_of(n.resource) is not null
  ) as d
  cross join lateral interlock.limit_of(d.resource) as m
  where m.capacity is not null or m.is_paused
$$;

comment on function interlock.lane_demand(text, text, text[]) is
  'What a lane really needs now, in resource order: the resources that its jobs name, the limits that have a row (limit:all, queue:NAME, task:NAME), the start rates of all these, and none that is unlimited. What a job needs is stored; what is limited is looked up.';
