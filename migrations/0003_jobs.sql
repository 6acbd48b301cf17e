-- Up Migration

create table interlock.jobs (
  id interlock.job_id primary key default interlock.sortable_id(nextval('interlock.job_numbers')),
  status text not null,
  task interlock.task_name not null,
  kind interlock.short_name not null default 'normal',
  user_name interlock.short_name,
  project interlock.short_name,
  queue text not null,
  permission_level interlock.permission_level not null default 'autonomous',
  priority interlock.priority not null default 2,
  resources interlock.resource_set not null default '{}',
  agent_id text,
  token bigint,
  attempt interlock.attempts not null default 0,
  max_attempts interlock.attempts not null,
  progress interlock.percent,
  progress_description interlock.description,
  created_at timestamptz not null,
  run_at timestamptz,
  queued_at timestamptz,
  assigned_at timestamptz,
  started_at timestamptz,
  finished_at timestamptz,
  expires_at timestamptz,
  cancel_requested_at timestamptz,
  cancel_reason text,
  timeout_seconds interlock.run_seconds not null,
  retry_delays_seconds integer[],
  seniority timestamptz,
  lane_id uuid not null,
  held text[] collate "C",
  held_slots integer[],
  lease_until timestamptz,
  error jsonb,
  payload interlock.job_payload not null default '{}',
  constraint jobs_status_is_live check (status = any ('{scheduled,deferred,paused,pending,assigned,running,failed}')),
  constraint jobs_pending_has_seniority check (status <> 'pending' or (seniority is not null and queued_at is not null)),
  constraint jobs_scheduled_has_a_time check (status <> 'scheduled' or run_at is not null),
  constraint jobs_held_have_a_holder check (
    (status in ('assigned', 'running')) = (held is not null)
    and (held is null) = (held_slots is null)
    and (held is null or (agent_id is not null and token is not null and assigned_at is not null
                          and cardinality(held) = cardinality(held_slots))))
) with (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
create index jobs_waiting_in_lane on interlock.jobs (lane_id, seniority, id) where status = 'pending';
create index jobs_due on interlock.jobs (run_at) where status = 'scheduled';
create index jobs_held_by_agent on interlock.jobs (agent_id) where held is not null;
create index jobs_expiring on interlock.jobs (expires_at) where expires_at is not null and held is null and status <> 'failed';
create index jobs_lock_leases on interlock.jobs (lease_until) where lease_until is not null;
create index jobs_dead on interlock.jobs (finished_at) where status = 'failed';
create index jobs_of_user on interlock.jobs (user_name, id) where user_name is not null;
create trigger jobs_refuse_illegal_transition
  before update of status on interlock.jobs
  for each row
  when (old.status <> new.status and not interlock.is_legal_transition(old.status, new.status))
  execute function interlock.refuse_transition();

comment on table interlock.jobs is
  'One row is a live job: waiting, running, or failed for good (the dead letter). Narrow and hot: a job that ends moves to task_history and job_results in the same transaction. Written by the verbs only.';
comment on column interlock.jobs.id is 'The caller''s own id, or the next number as a sortable id. Ties in seniority go by it.';
comment on column interlock.jobs.status is 'scheduled, deferred, paused -> pending -> assigned -> running; failed is the dead letter. See is_legal_transition().';
comment on column interlock.jobs.task is 'The kind of work; an agent''s owner maps it to a command or a module.';
comment on column interlock.jobs.kind is 'normal, workflow, or what the caller calls it (image, video): for people, not for the scheduler.';
comment on column interlock.jobs.user_name is 'Whose job it is. It needs the resource user:NAME unless exclusivity by user is off. Of a manual lock: its owner.';
comment on column interlock.jobs.project is 'To filter and clean up by.';
comment on column interlock.jobs.queue is 'Its policy and, with the permission level, its route.';
comment on column interlock.jobs.permission_level is 'autonomous, supervised or human_required: which agents may claim it.';
comment on column interlock.jobs.priority is '0 critical, 1 high, 2 normal, 3 low, any number between: a head start in seniority.';
comment on column interlock.jobs.resources is 'What it needs, sorted and distinct, in resource order: all of them or none.';
comment on column interlock.jobs.agent_id is 'The incarnation that holds it, or held it last.';
comment on column interlock.jobs.token is 'The fencing token of its latest claim. Every write of the holder names it; an old one is refused (IL002).';
comment on column interlock.jobs.attempt is 'How often it was started.';
comment on column interlock.jobs.progress is '0 to 100, clamped.';
comment on column interlock.jobs.run_at is 'Not before this time; for a retry, when it is due.';
comment on column interlock.jobs.queued_at is 'When it first became pending. Its wait, and its patience, count from here.';
comment on column interlock.jobs.expires_at is 'If it has not started by then it expires.';
comment on column interlock.jobs.cancel_requested_at is 'Set when a running job is asked to stop; its resources stay taken until its process is confirmed gone.';
comment on column interlock.jobs.seniority is 'queued_at + priority x the queue''s step: the smaller, the sooner. Kept over retries and returns; changed only by set_priority().';
comment on column interlock.jobs.lane_id is 'lane_id(route, task, resources): computed, never looked up.';
comment on column interlock.jobs.held is 'The resources that it was given when it started, the unlimited ones left out and limits added: what a release frees.';
comment on column interlock.jobs.held_slots is 'Which slot of each.';
comment on column interlock.jobs.lease_until is 'Of a manual lock (queue locks), and null of all else: until when its owner is believed to be there. Moved on by poll_lock() while it waits and by extend_lock() while it is held; expire_locks() ends it afterwards.';
comment on column interlock.jobs.error is 'The error of its latest failed attempt: {message, stack?, code?, ...}.';
comment on column interlock.jobs.max_attempts is 'How often it may be started before it fails for good.';
comment on column interlock.jobs.progress_description is 'What it is doing, in its own words, up to 1,024 characters.';
comment on column interlock.jobs.created_at is 'When it was enqueued.';
comment on column interlock.jobs.assigned_at is 'When it was last given to an agent.';
comment on column interlock.jobs.started_at is 'When that agent confirmed the start of its process; null until then.';
comment on column interlock.jobs.finished_at is 'When it failed for good.';
comment on column interlock.jobs.cancel_reason is 'Why it was asked to stop.';
comment on column interlock.jobs.timeout_seconds is 'How long an attempt may run.';
comment on column interlock.jobs.retry_delays_seconds is 'Its own waits before the second, third, ... attempt; null: the queues.';
comment on column interlock.jobs.payload is 'Its input, an object of at most 256 KiB.';

-- Down Migration

drop table interlock.jobs cascade;
