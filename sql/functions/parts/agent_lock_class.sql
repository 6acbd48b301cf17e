create function interlock.agent_lock_class() returns integer
language sql immutable parallel safe
as $$ select 1229736780 $$;

comment on function interlock.agent_lock_class() is
  'The first key of the session-level advisory locks that agents hold while they live; the second is their incarnation.';
