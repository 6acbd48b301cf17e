create function interlock.retry_delays(p_given jsonb) returns integer[]
language plpgsql immutable parallel safe
set search_path = ''
as $$
declare
  v_growth jsonb := p_given -> 'exponential';
  v_first double precision;
  v_factor double precision;
  v_most double precision;
  v_delays integer[] := '{}';
  v_next double precision;
begin
  if pg_catalog.jsonb_typeof(p_given) = 'array' then
    if pg_catalog.jsonb_array_length(p_given) > 100 or exists (
      select
      from pg_catalog.jsonb_array_elements(p_given) as x
      where not (pg_catalog.jsonb_typeof(x) = 'number' and x #>> '{}' ~ '^[0-9]{1,7}$' and (x #>> '{}')::integer <= 2592000)
    ) then
      return null;
    end if;
    return array(select x::integer from pg_catalog.jsonb_array_elements_text(p_given) as x);
  elsif pg_catalog.jsonb_typeof(p_given) is distinct from 'object' or pg_catalog.jsonb_typeof(v_growth) is distinct from 'object' then
    return null;
  elsif p_given - 'exponential' <> '{}' or v_growth - array['first_seconds', 'factor', 'max_seconds'] <> '{}' or exists (
    select
    from pg_catalog.jsonb_each(v_growth) as g (key, value)
    where pg_catalog.jsonb_typeof(g.value) <> 'number'
      or not (g.value #>> '{}')::numeric between 1 and 2592000
      or (g.key <> 'factor' and (g.value #>> '{}')::numeric % 1 <> 0)
  ) then
    return null;
  end if;
  v_first := (v_growth ->> 'first_seconds')::double precision;
  v_factor := coalesce((v_growth ->> 'factor')::double precision, 2);
  v_most := coalesce((v_growth ->> 'max_seconds')::double precision, greatest(v_first, 3600));
  if v_first is null or v_factor > 100 or v_most < v_first then
    return null;
  end if;
  v_next := v_first;
  loop
    v_delays := v_delays || least(pg_catalog.round(v_next), v_most)::integer;
    -- The last one repeats, so the list ends where it grows no more.
    exit when v_next >= v_most or v_factor = 1 or pg_catalog.cardinality(v_delays) = 100;
    v_next := v_next * v_factor;
  end loop;
  return v_delays;
end
$$;

comment on function interlock.retry_delays(jsonb) is
  'The waits between attempts, in seconds, as a list: given as one, or as {"exponential": {"first_seconds": 10, "factor": 2, "max_seconds": 600}} (factor 2 and at most an hour unless said), which is written out as the list that it means, so that whoever reads the row, and retry_wait(), know one spelling only. The draw around each wait is retry_at()''s. Null where it is neither.';
