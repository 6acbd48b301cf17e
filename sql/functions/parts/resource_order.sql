create function interlock.resource_order(p_resource text) returns integer
language sql immutable parallel safe
as $$
  select case split_part(p_resource, ':', 1)
    when 'user' then 0
    when 'model' then 2
    when 'limit' then 3
    when 'queue' then 3
    when 'task' then 3
    when 'rate' then 4
    else 1
  end
$$;

comment on function interlock.resource_order(text) is
  'Users first, others, models, limits, start rates last; by name (collation C) inside a kind. What is cheapest to keep waiting is reserved first, and everybody reserves in this order: that is why reservations cannot deadlock.';
