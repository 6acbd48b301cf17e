-- What should never be: none is healthy (reads everything; stops after 60 s)

\set was_quiet :QUIET
\set QUIET on
set statement_timeout = '60s';
select v.violation, v.resource, v.job_id, v.lane_id, v.detail
from interlock.violations as v
limit 200;
\if :ERROR
  \echo 'The auditor could not finish: nothing is said of the database.'
\elif :ROW_COUNT
  \echo 'Something is wrong: keep job_queue_log, and show these lines to whoever maintains it.'
\else
  \echo 'Healthy.'
\endif
reset statement_timeout;
\set QUIET :was_quiet
