-- One that waits ends at once, one that runs is asked to stop (-v job=ID -v reason=...)

\ir parts/begin.psql
\if :{?job}
  \set asked_job :job
\else
  \prompt 'Which job? ' asked_job
\endif

begin transaction isolation level read committed;
select c.status as now_it_is
from interlock.cancel_job(p_job_id => :'asked_job', p_reason => :'why', p_actor => :'USER') as c;
\ir parts/end.psql
