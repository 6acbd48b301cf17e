create function interlock.chance() returns double precision
language sql volatile parallel safe
as $$ select pg_catalog.random() $$;

comment on function interlock.chance() is
  'The one source of chance, as clock() is of time: from 0 to less than 1. Tests put another in its place.';
