create function interlock.is_demanded(p_resource text) returns boolean
language sql stable
as $$
  select case when p_resource like 'rate:%' then interlock.rate_of(substr(p_resource, 6)) is not null else split_part(p_resource, ':', 1) not in ('limit', 'queue', 'task')
    or exists (
      select
      from interlock.resource_limits as r
      where r.pattern = p_resource
        or (r.pattern like '%*' and starts_with(p_resource, left(r.pattern, -1)))
    ) end
$$;

comment on function interlock.is_demanded(text) is
  'Whether anything may have to ask for this resource: limits of everything, of a queue and of a task apply only while they have a row (a job may still name one itself).';
