create function interlock.histogram_bounds() returns double precision[]
language sql immutable parallel safe
as $$
  select '{0.1,0.5,1,5,15,60,300,900,3600,14400}'::double precision[]
$$;

comment on function interlock.histogram_bounds() is
  'The upper bounds, in seconds, by which durations and waits of jobs are counted. Another list would make the figures counted so far lie: a change needs a migration that empties them.';
