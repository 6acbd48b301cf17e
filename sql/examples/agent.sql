-- An agent in nothing but SQL: registers, claims one job, does it, and goes. To be run by psql as a user that has the role
-- interlock_agent:
--
--   psql postgres://ci@host/db -v queue=default -f sql/examples/agent.sql
--
-- A real one claims in a loop, sends a heartbeat every few seconds while it works, and stops what it is refused for.

\set ON_ERROR_STOP on
\if :{?queue}
\else
  \set queue default
\endif

-- It says which queues it serves, how many jobs at once, and for how long it may be silent.
select agent_id
from interlock.register_agent('sql-agent', array[:'queue'], 1, p_lease_seconds => 60, p_liveness => 'lease')
\gset

-- What was enqueued since the last look gets its place in line. Each call is a transaction of its own, as psql does it.
select left_over from interlock.absorb_touches(1000);

-- The most senior job of which everything that it needs is free. The token is the proof that it is ours.
select jobs #>> '{0,job_id}' as job_id, jobs #>> '{0,token}' as token, coalesce(jobs #>> '{0,payload}', '{}') as payload, jobs <> '[]' as has_job
from interlock.claim_jobs(:'agent_id', null, 1)
\gset

\if :has_job
  select interlock.start_job(:'job_id', :token);

  -- While it works: it lives, and this is how far it is.
  select lease_until, stop, give_back from interlock.heartbeat_agent(:'agent_id', array[:'job_id'], array[:token]);
  select interlock.report_progress(:'job_id', :token, 50, 'Counting');
  select pg_catalog.jsonb_build_object('keys', count(*)) as result
  from jsonb_object_keys(:'payload'::jsonb)
  \gset

  -- The result is accepted once, and from the holder of the token alone.
  select interlock.complete_job(:'job_id', :token, :'result');
  \echo completed :job_id
\else
  \echo nothing to do
\endif

select interlock.end_agent(:'agent_id', 'it has done its job');
