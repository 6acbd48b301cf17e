create function interlock.rate_of(p_resource text) returns integer
language sql stable
as $$
  select l.starts_per_minute
  from interlock.resource_limits as l
  where (l.pattern = p_resource and not l.is_pause_only)
    or (l.pattern like '%*' and starts_with(p_resource, left(l.pattern, -1)))
  order by l.pattern = p_resource desc, length(l.pattern) desc
  limit 1
$$;

comment on function interlock.rate_of(text) is
  'How many jobs that need this resource may start within a minute: what the row says that sets its capacity (the exact one, else that of the longest prefix); null: any number.';
