create function interlock.retry_wait(p_attempt integer, p_job_delays integer[], p_queue_delays integer[]) returns integer
language sql immutable parallel safe
as $$
  select coalesce(
    case when p_job_delays is null
      then p_queue_delays[least(p_attempt, pg_catalog.cardinality(p_queue_delays))]
      else p_job_delays[least(p_attempt, pg_catalog.cardinality(p_job_delays))] end,
    0)
$$;

comment on function interlock.retry_wait(integer, integer[], integer[]) is
  'The seconds to wait after this attempt, by the job''s own waits, else the queue''s: the last one repeats, and none is no wait.';
