create function interlock.can_change(p_job interlock.jobs, p_change text, p_statuses text[], p_priority double precision) returns boolean
language sql stable
as $$
  select p_job.status = any (p_statuses)
    and (p_change <> 'cancel' or p_job.cancel_requested_at is null)
    and (p_change <> 'priority' or p_job.priority <> p_priority)
    and (p_change <> 'requeue' or p_job.unique_key is null or not exists (
      select
      from interlock.jobs as o
      where o.unique_key = p_job.unique_key
        and o.id <> p_job.id
        and (o.status <> 'failed' or o.id > p_job.id)
    ))
$$;

comment on function interlock.can_change(interlock.jobs, text, text[], double precision) is
  'Whether change_jobs() has anything to do with this job: it is in one of these states, was not asked to stop before, and has not this priority yet; of dead letters with one unique_key only the newest is requeued, and none while an unfinished job has the key. So a second pass, or a repeated call, changes and logs nothing twice.';
