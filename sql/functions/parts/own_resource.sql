create function interlock.own_resource(p_lock_id text) returns text
language sql immutable parallel safe
as $$ select 'lock:' || p_lock_id $$;

comment on function interlock.own_resource(text) is
  'The resource that a manual lock needs beside those it names, and nobody else: with several it may reserve, so that a lock on a single busy resource is not overtaken for ever by jobs of other queues. Shown to nobody as one of its resources.';
