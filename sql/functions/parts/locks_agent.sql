create function interlock.locks_agent() returns text
language sql immutable parallel safe
as $$ select 'locks.0' $$;

comment on function interlock.locks_agent() is
  'The agent in whose name manual locks are held. It is no process: it is listed nowhere, has no lease that could end, and whoever waits for a lock may claim for it.';
