-- Up Migration

-- Jobs that come by the clock. A row is small and changes once a slot; nothing of it is read on the way of a job.

create table interlock.schedules (
  name text collate "C" primary key,
  is_paused boolean not null default false,
  cron text not null,
  time_zone text not null,
  missed text not null,
  missed_limit integer not null,
  job jsonb not null,
  next_at timestamptz not null default '-infinity',
  last_at timestamptz,
  last_job_id text collate "C",
  last_problem varchar(4096),
  revision bigint not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint schedules_name_is_short check (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$'),
  constraint schedules_cron_is_short check (length(cron) between 1 and 200),
  constraint schedules_time_zone_is_short check (length(time_zone) between 1 and 64),
  constraint schedules_missed_is_known check (missed in ('once', 'all', 'skip')),
  constraint schedules_missed_limit_is_sane check (missed_limit between 1 and 1000),
  constraint schedules_job_is_an_object check (jsonb_typeof(job) = 'object'),
  constraint schedules_revision_grows check (revision >= 1)
);
create index schedules_due on interlock.schedules (next_at) where not is_paused;
comment on table interlock.schedules is
  'One row is a schedule: a job that is enqueued at the times of a cron expression in a time zone. Written by set_schedule(), fire_schedule(), pause_schedule() and delete_schedule() only. SQL reads no cron: a coordinator computes the times, and fire_schedule() checks and stores them.';
comment on column interlock.schedules.name is 'What people call it. The job of a slot is NAME:SLOT, as nightly:2026-11-23T02:30Z, so that a slot has one job for ever.';
comment on column interlock.schedules.is_paused is 'A paused schedule enqueues nothing by the clock, and its slots meanwhile are not made up for.';
comment on column interlock.schedules.cron is 'Minute, hour, day of the month, month, day of the week; or @hourly, @daily, @weekly, @monthly, @yearly.';
comment on column interlock.schedules.time_zone is 'The IANA name of the zone whose wall clock cron speaks of. An hour that the clock leaves out counts as its end, one that it repeats counts once, unless every hour is named.';
comment on column interlock.schedules.missed is 'What becomes of slots that no coordinator was there for. once: one job, for the latest of them. all: a job each, of the latest missed_limit. skip: none of those that are a minute late.';
comment on column interlock.schedules.missed_limit is 'How many missed slots are made up for at the most, where missed is all.';
comment on column interlock.schedules.job is 'The job as enqueue_jobs() takes it, without id, run_at and delay_seconds.';
comment on column interlock.schedules.next_at is 'The next slot. -infinity: a coordinator has yet to compute it. infinity: there is none.';
comment on column interlock.schedules.last_at is 'The slot that was enqueued last.';
comment on column interlock.schedules.last_job_id is 'The job that was enqueued last, by the clock or by hand.';
comment on column interlock.schedules.last_problem is 'Why the latest slot has no job; null where it has.';
comment on column interlock.schedules.revision is 'Grows with every change and every slot: who computed from an older one is too late.';
comment on column interlock.schedules.created_at is 'When it was first set.';
comment on column interlock.schedules.updated_at is 'When its settings last changed.';

-- Down Migration

drop table interlock.schedules;
