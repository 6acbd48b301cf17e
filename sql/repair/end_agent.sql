-- Free the jobs of an agent whose processes you KNOW are gone (-v agent=ID -v reason=...)
-- Its lease is not asked. Its late writes are refused, but not what a process that still lives does to files.

\ir parts/begin.psql
\if :{?agent}
  \set asked_agent :agent
\else
  \prompt 'Which agent (inspect/agents.sql names them)? ' asked_agent
\endif

\echo 'What it is'
select g.id as agent_id, g.state, g.host, g.pid, g.active_jobs, g.last_heartbeat_at, g.lease_until > interlock.clock() as lease_holds
from interlock.agent_stats as g
where g.id = :'asked_agent';
\echo 'What it holds'
select a.job_id, a.task, a.user_name, a.resources as holds, a.attempt || ' of ' || a.max_attempts as attempt
from interlock.active_jobs as a
where a.agent_id = :'asked_agent'
order by a.job_id;

-- A verb that locks resources is the first of its transaction: between begin and it there is nothing.
begin transaction isolation level read committed;
select e.jobs_returned
from interlock.end_agent(:'asked_agent', :'why') as e;
\ir parts/end.psql
