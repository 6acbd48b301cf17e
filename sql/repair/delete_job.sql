-- Delete one that waits or has failed for good; its history stays (-v job=ID -v reason=...)

\ir parts/begin.psql
\if :{?job}
  \set asked_job :job
\else
  \prompt 'Which job? ' asked_job
\endif

begin transaction isolation level read committed;
select d.status as now_it_is
from interlock.delete_job(p_job_id => :'asked_job', p_reason => :'why', p_actor => :'USER') as d;
\ir parts/end.psql
