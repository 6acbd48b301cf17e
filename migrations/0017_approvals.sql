-- Up Migration

-- Null but in jobs that need it, so that it costs the others nothing: a row has a bitmap of its nulls anyway.
alter table interlock.jobs add column approved_at timestamptz;
comment on column interlock.jobs.approved_at is 'Of a human_required job: when somebody approved it. Who, and why, is in job_queue_log.';

-- What waits today was let in without asking.
update interlock.jobs
set approved_at = coalesce(queued_at, created_at)
where permission_level = 'human_required'
  and status <> 'paused';

-- The condition is part of one that is asked anyway, and only of what is pending: a CHECK of its own is asked at every write.
alter table interlock.jobs
  drop constraint jobs_pending_has_seniority,
  add constraint jobs_pending_may_start check (
    status <> 'pending'
    or (seniority is not null and queued_at is not null and (permission_level <> 'human_required' or approved_at is not null)));

-- Down Migration

alter table interlock.jobs
  drop constraint jobs_pending_may_start,
  add constraint jobs_pending_has_seniority check (status <> 'pending' or (seniority is not null and queued_at is not null)),
  drop column approved_at;
