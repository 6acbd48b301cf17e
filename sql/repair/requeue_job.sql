-- A dead letter waits again; what waits for its time is pending now (-v job=ID -v reason=...)

\ir parts/begin.psql
\if :{?job}
  \set asked_job :job
\else
  \prompt 'Which job? ' asked_job
\endif

begin transaction isolation level read committed;
select r.status as now_it_is
from interlock.requeue_job(p_job_id => :'asked_job', p_reason => :'why', p_actor => :'USER') as r;
\ir parts/end.psql
