-- Up Migration

-- What an enqueueing may ask for beside the job itself: to be the only one of its key, room under a limit, to be stopped when
-- the job gives no sign of life. Three nullable columns of jobs, which its readers have at hand anyway; two partial indexes,
-- without an entry for whoever asked for none of it.

create domain interlock.unique_key as text collate "C"
  constraint unique_key_is_short check (length(value) between 1 and 200);
comment on domain interlock.unique_key is 'The key of a job of which there is one at a time: 1 to 200 characters.';
create domain interlock.silence_seconds as integer
  constraint silence_seconds_are_sane check (value between 1 and 86400);
comment on domain interlock.silence_seconds is 'How long a running job may be silent, in seconds: at most a day.';
create domain interlock.when_full as text
  constraint when_full_is_known check (value in ('refuse', 'drop_oldest'));
comment on domain interlock.when_full is 'refuse or drop_oldest.';

alter table interlock.jobs
  add column unique_key interlock.unique_key,
  add column heartbeat_seconds interlock.silence_seconds,
  add column is_counted boolean;
comment on column interlock.jobs.unique_key is 'While it is unfinished there is no other one with this key. Null: as many as come.';
comment on column interlock.jobs.heartbeat_seconds is 'How long it may run without progress, output or a heartbeat of its own before it is stalled. Null: for ever.';
comment on column interlock.jobs.is_counted is 'True where a limit of unfinished jobs applied to it when it was enqueued: so that those are counted by an index of their own. Null elsewhere.';
-- A table of keys would need a row written at each end of a job that has one; this says the same, and forgets by itself.
create unique index jobs_unique_key on interlock.jobs (unique_key) where unique_key is not null and status <> 'failed';
create index jobs_counted on interlock.jobs (queue, task) where is_counted and status <> 'failed';

alter table interlock.queues
  add column max_unfinished integer,
  add column when_full interlock.when_full not null default 'refuse',
  add column refuse_after_wait_seconds double precision,
  add column heartbeat_seconds interlock.silence_seconds,
  add constraint queues_backlog_is_sane check (max_unfinished between 0 and 10000000 and refuse_after_wait_seconds between 0 and 1e9);
comment on column interlock.queues.max_unfinished is 'How many unfinished jobs it takes. Null: any number.';
comment on column interlock.queues.when_full is 'What happens to one more: refuse (IL007), or drop_oldest: the oldest waiting one is deleted for it.';
comment on column interlock.queues.refuse_after_wait_seconds is 'It takes no jobs (IL007) while the next in line, which waits for nothing but an agent, has waited for longer. Null: it takes them.';
comment on column interlock.queues.heartbeat_seconds is 'How long its jobs may be silent before they are stalled, unless a job says otherwise. Null: for ever.';

create table interlock.backlog_limits (
  scope text collate "C" primary key,
  max_unfinished integer,
  when_full interlock.when_full not null,
  refuse_after_wait_seconds double precision,
  uncounted_jobs integer not null default 0,
  updated_at timestamptz not null,
  constraint backlog_limits_scope_is_one check (
    scope = 'all' or scope ~ '^queue:[a-z][a-z0-9_-]{0,62}$' or (scope ~ '^task:[A-Za-z0-9][A-Za-z0-9._/-]*$' and length(scope) <= 133)),
  constraint backlog_limits_are_sane check (
    max_unfinished between 0 and 10000000 and refuse_after_wait_seconds between 0 and 1e9 and uncounted_jobs >= 0
    and (max_unfinished is not null or refuse_after_wait_seconds is not null)
    and (refuse_after_wait_seconds is null or starts_with(scope, 'queue:')))
);
comment on table interlock.backlog_limits is
  'One row is what limits the unfinished jobs of everything, of a queue or of a task: the one thing that each enqueueing looks at, empty where nothing is limited. Changed by set_backlog_limit(), and for queues, from their columns, by set_queue().';
comment on column interlock.backlog_limits.scope is 'all, queue:NAME or task:NAME.';
comment on column interlock.backlog_limits.max_unfinished is 'How many unfinished jobs there may be: waiting or running, neither dead letters nor manual locks. Null: any number.';
comment on column interlock.backlog_limits.when_full is 'refuse or drop_oldest, as in queues.';
comment on column interlock.backlog_limits.refuse_after_wait_seconds is 'Of a queue, as in queues.';
comment on column interlock.backlog_limits.uncounted_jobs is 'At most so many unfinished jobs were enqueued before there was a limit; found by reading all jobs, and asked for no more once they are gone.';
comment on column interlock.backlog_limits.updated_at is 'When it was last set.';

create table interlock.job_signs (
  job_id interlock.job_id primary key,
  token bigint not null,
  heartbeat_seconds interlock.silence_seconds not null,
  last_sign_at timestamptz not null,
  due_at timestamptz not null,
  stalled_at timestamptz
) with (fillfactor = 70);
create index job_signs_due on interlock.job_signs (due_at);
comment on table interlock.job_signs is
  'One row is a running job that has to give signs of life (heartbeat_seconds). Made by start_jobs(), moved on by progress, output and heartbeat_job(); stall_jobs() removes it once the claim is over, so that no end of a job has to look here.';
comment on column interlock.job_signs.job_id is 'The job.';
comment on column interlock.job_signs.token is 'The claim that is watched; a row of an older one says nothing.';
comment on column interlock.job_signs.heartbeat_seconds is 'How long it may be silent.';
comment on column interlock.job_signs.last_sign_at is 'When it last gave a sign of life, to a tenth of that.';
comment on column interlock.job_signs.due_at is 'When stall_jobs() looks at it next.';
comment on column interlock.job_signs.stalled_at is 'When it was found to be silent; its agent is told to stop it.';

-- Down Migration

drop table interlock.job_signs;
drop table interlock.backlog_limits;
alter table interlock.queues
  drop column max_unfinished, drop column when_full, drop column refuse_after_wait_seconds, drop column heartbeat_seconds;
alter table interlock.jobs drop column unique_key, drop column heartbeat_seconds, drop column is_counted;
drop domain interlock.when_full;
drop domain interlock.silence_seconds;
drop domain interlock.unique_key;
