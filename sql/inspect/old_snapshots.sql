-- What has kept the past alive for a minute or more, so that claims slow down: end it
-- Empty where all is well. Of a session, name is its pid: select pg_terminate_backend(pid).

select o.kind, o.name, interlock.duration_words(o.seconds * interval '1 second') as since, o.what
from interlock.old_snapshots(60) as o;
