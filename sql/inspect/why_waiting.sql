-- Why one job waits, down to the job that runs (-v job=ID)

\if :{?job}
  \set asked_job :job
\else
  \prompt 'Which job? ' asked_job
\endif

select interlock.explain_job(:'asked_job') as explanation
\gset
\if :ERROR
  \echo 'There is nothing to explain.'
\else
  select :'explanation'::jsonb ->> 'sentence' as why;
  select c.resource, c.state, c.job_id, c.user as user_name, c.task, c.status, c.agent_id, c.since
  from jsonb_to_recordset(coalesce(:'explanation'::jsonb -> 'chain', '[]'))
    as c (resource text, state text, job_id text, "user" text, task text, status text, agent_id text, since timestamptz);
  select e.queue_position, e.place_in_lane, e.lane_rank, e.reserving, e.may_reserve, e.may_reserve_at
  from jsonb_to_record(:'explanation'::jsonb)
    as e (queue_position text, place_in_lane text, lane_rank text, reserving boolean, may_reserve boolean, may_reserve_at timestamptz);
\endif
