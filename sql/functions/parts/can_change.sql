create function interlock.can_change(p_job interlock.jobs, p_change text, p_statuses text[], p_priority double precision) returns boolean
language sql stable
as $$
  select p_job.status = any (p_statuses)
    and (p_change <> 'cancel' or p_job.cancel_requested_at is null)
    and (p_change <> 'priority' or p_job.priority <> p_priority)
$$;

comment on function interlock.can_change(interlock.jobs, text, text[], double precision) is
  'Whether change_jobs() has anything to do with this job: it is in one of these states, was not asked to stop before, and has not this priority yet. So a second pass, or a repeated call, changes and logs nothing twice.';
