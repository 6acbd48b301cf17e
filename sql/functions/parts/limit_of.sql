create function interlock.limit_of(p_resource text)
returns table (capacity integer, is_paused boolean)
language sql stable
as $$
  select
    case
      when p_resource like 'rate:%' then interlock.rate_of(substr(p_resource, 6))
      when exact.pattern is not null and not exact.is_pause_only then exact.capacity
      when prefix.pattern is not null then prefix.capacity
      else 1
    end,
    coalesce(exact.is_paused, false)
  from (select 1) as always
  left join interlock.resource_limits as exact
    on exact.pattern = p_resource
  left join lateral (
    select l.pattern, l.capacity
    from interlock.resource_limits as l
    where l.pattern like '%*'
      and exact.is_pause_only is not false
      and starts_with(p_resource, left(l.pattern, -1))
    order by length(l.pattern) desc
    limit 1
  ) as prefix on true
$$;

comment on function interlock.limit_of(text) is
  'One row: how many jobs may use this resource at once (null: unlimited) and whether it is paused. The exact row of resource_limits wins, then the longest prefix, else 1; of rate:RESOURCE it is how many may start within a minute. Inlined into the caller''s plan, hence without a pinned search_path; all names are qualified.';
