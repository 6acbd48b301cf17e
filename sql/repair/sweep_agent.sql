-- Free the jobs of an agent that is dead by its lease or lock; a living one stays (-v agent=ID)

\ir parts/begin.psql
\if :{?agent}
  \set asked_agent :agent
\else
  \prompt 'Which agent (inspect/agents.sql names them)? ' asked_agent
\endif

\echo 'What it holds'
select a.job_id, a.task, a.user_name, a.resources as holds, a.attempt || ' of ' || a.max_attempts as attempt
from interlock.active_jobs as a
where a.agent_id = :'asked_agent'
order by a.job_id;

-- A verb that locks resources is the first of its transaction: between begin and it there is nothing.
begin transaction isolation level read committed;
select s.jobs_returned, coalesce(s.reason, 'there is no such live agent, or it is alive: nothing was freed') as why
from interlock.sweep_agent(:'asked_agent') as s;
\ir parts/end.psql
