create function interlock.first_of_user(p_resource text, p_user_key text, p_route text)
returns table (id uuid, rank timestamptz)
language sql stable
as $$
  select f.id, f.rank
  from (
    -- The order says which index: a plan made while the table was empty, of equalities alone, has walked the whole line of
    -- the resource (4,000 buffers a call).
    select o.id, o.rank, o.route, o.resources[1] as user_key
    from interlock.job_lanes as o
    where o.blocked_on = p_resource
      and (o.resources[1], o.route) >= (p_user_key, p_route)
    order by o.blocked_on, o.resources[1], o.route, o.rank, o.id
    limit 1
  ) as f
  where f.user_key = p_user_key
    and f.route = p_route
$$;

comment on function interlock.first_of_user(text, text, text) is
  'The most senior lane of this user and route that stands in a resource''s line, if one does. Inlined into the caller''s plan, hence without a pinned search_path; all names are qualified.';
