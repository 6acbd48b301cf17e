create function interlock.histogram_bucket(p_seconds double precision) returns integer
language sql immutable parallel safe
as $$
  -- width_bucket() counts the bounds that are at most the value. One that equals a bound belongs below it, so both are negated.
  select 10 - pg_catalog.width_bucket(-p_seconds, '{-14400,-3600,-900,-300,-60,-15,-5,-1,-0.5,-0.1}'::double precision[])
$$;

comment on function interlock.histogram_bucket(double precision) is
  'After how many of histogram_bounds() a value lies: 0 at most the first, 10 beyond the last.';
