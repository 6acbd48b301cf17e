create function interlock.priority_name(p_priority double precision) returns text
language sql immutable parallel safe
as $$
  select case
    when p_priority < 0.5 then 'critical'
    when p_priority < 1.5 then 'high'
    when p_priority <= 2.5 then 'normal'
    else 'low'
  end
$$;

comment on function interlock.priority_name(double precision) is
  'The name nearest to a priority, with the bounds of queue_of_priority(). Not strict, so that it is inlined: called as a function for each of 10,000 rows it costs 30 ms.';
