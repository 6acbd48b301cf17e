create function interlock.priority_number(p_priority jsonb) returns double precision
language sql immutable parallel safe
as $$
  select case
    when p_priority is null or p_priority = 'null' then 2
    when jsonb_typeof(p_priority) = 'number' then (p_priority #>> '{}')::double precision
    else case p_priority #>> '{}' when 'critical' then 0 when 'high' then 1 when 'normal' then 2 when 'low' then 3 end
  end
$$;

comment on function interlock.priority_number(jsonb) is
  'A priority as a number: critical 0, high 1, normal 2, low 3, a number as it is, none 2; null for another word.';
