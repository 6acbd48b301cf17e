-- Up Migration

create table interlock.job_queue_log (
  id bigint generated always as identity,
  created_at timestamptz not null,
  event_type varchar(40) not null,
  job_id text collate "C",
  job_type text,
  from_status text,
  to_status text,
  token bigint,
  agent_id text,
  actor text,
  conflict_reason varchar(4096),
  resources text[],
  details jsonb
) partition by range (created_at);
create table interlock.job_queue_log_default partition of interlock.job_queue_log default;
create index job_queue_log_of_job on interlock.job_queue_log (job_id, id);
create index job_queue_log_recent on interlock.job_queue_log (id);
create trigger job_queue_log_is_append_only
  before update or delete on interlock.job_queue_log
  for each row execute function interlock.refuse_change();
comment on table interlock.job_queue_log is
  'One row is an event: what happened to which job, from where to where, by whom and why. Append-only, partitioned by day, dropped by partition; the DEFAULT partition takes what has no day of its own, so a missed cron never stops an enqueue.';
comment on column interlock.job_queue_log.event_type is 'Of a job: enqueued, approved, rejected, due, ready (its parents have ended), assigned, started, blocked, step, asked, answered, request_expired, request_closed, resumed, stalled, completed, retried, failed, cancel_requested, cancelled, returned, lost, requeued, reprioritised, expired, deleted. Of an agent: agent_registered, agent_suspended, agent_resumed, agent_draining, agent_gone. Of a policy: queue_set, limit_set, limit_removed, backlog_limit_set, agent_policy_set, workflow_set, schedule_set, schedule_paused, schedule_resumed, schedule_deleted, schedule_missed, schedule_failed, raised_after_restore.';
comment on column interlock.job_queue_log.job_type is 'The job''s kind.';
comment on column interlock.job_queue_log.token is 'The fencing token of the claim that the event belongs to.';
comment on column interlock.job_queue_log.actor is 'Who asked for it, where somebody did.';
comment on column interlock.job_queue_log.conflict_reason is 'Why, in words.';
comment on column interlock.job_queue_log.resources is 'With assigned: what was granted, under the token as fence. With the end of a claim: what was freed.';
comment on column interlock.job_queue_log.id is 'The order in which events were written; under one resources lock also the order in which they happened.';
comment on column interlock.job_queue_log.created_at is 'When it happened, by the databases clock.';
comment on column interlock.job_queue_log.job_id is 'The job; null for an event of an agent, a queue or a limit.';
comment on column interlock.job_queue_log.from_status is 'The state before; null for a job that is new.';
comment on column interlock.job_queue_log.to_status is 'The state after.';
comment on column interlock.job_queue_log.agent_id is 'The incarnation that it happened to, or that held the job.';
comment on column interlock.job_queue_log.details is 'What else there is to say: blocked_on and blocked_by_job_id, run_at, the settings that changed.';

create table interlock.task_history (
  job_id text collate "C" not null,
  outcome text not null,
  task text not null,
  kind text not null,
  user_name text,
  project text,
  queue text not null,
  priority double precision not null,
  resources text[] not null,
  agent_id text,
  attempts integer not null,
  created_at timestamptz not null,
  queued_at timestamptz,
  assigned_at timestamptz,
  started_at timestamptz,
  finished_at timestamptz not null,
  token bigint,
  reason varchar(4096),
  constraint task_history_outcome_is_known check (outcome = any ('{completed,failed,cancelled,expired,deleted}'))
) partition by range (finished_at);
create table interlock.task_history_default partition of interlock.task_history default;
create index task_history_of_job on interlock.task_history (job_id);
create index task_history_recent on interlock.task_history (finished_at);
comment on table interlock.task_history is
  'One row is the end of a job: completed, cancelled, expired, deleted, or failed for good (whose job stays in jobs as a dead letter, and may be requeued and end again). Kept long, for analytics; partitioned by month.';
comment on column interlock.task_history.reason is 'Why it was cancelled, expired or deleted; the message of the error that it failed with.';
comment on column interlock.task_history.job_id is 'The job that ended.';
comment on column interlock.task_history.outcome is 'completed, failed, cancelled, expired or deleted.';
comment on column interlock.task_history.task is 'The kind of work.';
comment on column interlock.task_history.kind is 'normal, workflow, or what the caller called it.';
comment on column interlock.task_history.user_name is 'Whose job it was.';
comment on column interlock.task_history.project is 'The project that it was part of.';
comment on column interlock.task_history.queue is 'Its queue.';
comment on column interlock.task_history.priority is '0 critical to 3 low.';
comment on column interlock.task_history.resources is 'What it needed.';
comment on column interlock.task_history.agent_id is 'The incarnation that held it last.';
comment on column interlock.task_history.attempts is 'How often it was started.';
comment on column interlock.task_history.created_at is 'When it was enqueued.';
comment on column interlock.task_history.queued_at is 'When it first became pending; waited until assigned_at.';
comment on column interlock.task_history.assigned_at is 'When it was last given to an agent.';
comment on column interlock.task_history.started_at is 'When its last attempt started.';
comment on column interlock.task_history.finished_at is 'When it ended.';
comment on column interlock.task_history.token is 'The fencing token of its last claim.';

create table interlock.job_results (
  job_id text collate "C" not null,
  finished_at timestamptz not null,
  expires_at timestamptz,
  payload jsonb,
  result jsonb,
  error jsonb
);
create index job_results_of_job on interlock.job_results (job_id);
create index job_results_expired on interlock.job_results (expires_at) where expires_at is not null;
comment on table interlock.job_results is
  'The payload and the result or error of a job that ended, where it had any; kept by outcome and queue. No primary key: a job that failed, was requeued and ended again has two.';
comment on column interlock.job_results.job_id is 'The job that ended.';
comment on column interlock.job_results.finished_at is 'When it ended.';
comment on column interlock.job_results.expires_at is 'Until when this is kept; null for ever.';
comment on column interlock.job_results.payload is 'Its input; null if it was empty.';
comment on column interlock.job_results.result is 'What it returned, where it completed.';
comment on column interlock.job_results.error is 'What it failed with, where it did not.';

create table interlock.job_output (
  job_id text collate "C" not null,
  seq bigint generated always as identity,
  attempt integer not null,
  stream text not null,
  created_at timestamptz not null,
  lines text not null,
  total_bytes bigint not null,
  primary key (job_id, seq),
  constraint job_output_stream_is_known check (stream in ('stdout', 'stderr', 'system')),
  constraint job_output_chunk_is_bounded check (octet_length(lines) <= 1048576)
);
create index job_output_old on interlock.job_output using brin (created_at);
comment on table interlock.job_output is
  'One row is a chunk of whole lines that a job wrote. At most 10 MiB a job; a last chunk of the stream system says that more was cut.';
comment on column interlock.job_output.seq is 'Grows in the order of writing; what a follower resumes from.';
comment on column interlock.job_output.lines is 'Lines, separated by newlines, without the last newline.';
comment on column interlock.job_output.total_bytes is 'Bytes of output of the job up to and with this chunk.';
comment on column interlock.job_output.job_id is 'Whose output it is.';
comment on column interlock.job_output.attempt is 'Which of its attempts wrote it.';
comment on column interlock.job_output.stream is 'stdout, stderr, or system for a mark of ours.';
comment on column interlock.job_output.created_at is 'When it was stored, not when it was written.';

-- Down Migration

drop table interlock.job_output cascade;
drop table interlock.job_results cascade;
drop table interlock.task_history cascade;
drop table interlock.job_queue_log cascade;
