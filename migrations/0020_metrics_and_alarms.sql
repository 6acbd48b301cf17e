-- Up Migration

-- Counted figures: what every coordinator serves alike and no restart sets back.

alter table interlock.job_queue_log add column queue text;
comment on column interlock.job_queue_log.queue is
  'With enqueued: the queue that the job came into, so that who counts the log need not look up each job. Null for other events.';
comment on column interlock.job_queue_log.event_type is 'Of a job: enqueued, approved, rejected, due, ready (its parents have ended), assigned, started, blocked, step, asked, answered, request_expired, request_closed, resumed, stalled, completed, retried, failed, cancel_requested, cancelled, returned, lost, requeued, reprioritised, expired, deleted. Of an agent: agent_registered, agent_suspended, agent_resumed, agent_draining, agent_gone. Of a policy: queue_set, limit_set, limit_removed, backlog_limit_set, agent_policy_set, alarm_policy_set, workflow_set, schedule_set, schedule_paused, schedule_resumed, schedule_deleted, schedule_missed, schedule_failed, raised_after_restore. Of an alarm: alarm_raised, alarm_cleared, alarm_undelivered.';

create table interlock.event_totals (
  measure text collate "C" not null,
  queue text collate "C" not null default '',
  outcome text collate "C" not null default '',
  bucket integer not null default 0,
  total bigint not null,
  seconds double precision not null default 0,
  primary key (measure, queue, outcome, bucket),
  constraint event_totals_measure_is_known check (
    measure in ('enqueued', 'ended', 'duration', 'wait', 'retried', 'lost', 'agent_lost')),
  constraint event_totals_bucket_is_small check (bucket between 0 and 100),
  constraint event_totals_only_grow check (total >= 0 and seconds >= 0)
) with (fillfactor = 50);
comment on table interlock.event_totals is
  'One row is a figure counted from the log since the installation, by count_events() alone: some dozens a queue. It outlives the log that it was counted from.';
comment on column interlock.event_totals.measure is
  'enqueued and ended: jobs. duration and wait: jobs by how long they ran, and waited before their only start. retried: attempts that are tried again. lost: claims of agents that were given up. agent_lost: agents given up.';
comment on column interlock.event_totals.queue is 'The queue, where the figure is kept by queue; else empty.';
comment on column interlock.event_totals.outcome is 'What became of the job; of agent_lost what was gone: lease, connection or superseded. Else empty.';
comment on column interlock.event_totals.bucket is 'Of duration and wait: after how many of histogram_bounds() the value lies. Else 0.';
comment on column interlock.event_totals.total is 'How many.';
comment on column interlock.event_totals.seconds is 'Of duration and wait: their sum.';

create table interlock.event_cursor (
  is_only boolean primary key default true,
  counted_to bigint not null,
  counted_from xid8 not null,
  counted_at timestamptz not null,
  mark_id bigint not null,
  mark_from xid8 not null,
  mark_xid xid8 not null,
  marked_at timestamptz not null,
  constraint event_cursor_has_one_row check (is_only),
  constraint event_cursor_marks_ahead check (counted_to <= mark_id)
) with (fillfactor = 50);
insert into interlock.event_cursor (counted_to, counted_from, counted_at, mark_id, mark_from, mark_xid, marked_at)
select n.last, '0', now(), n.last, pg_snapshot_xmin(pg_current_snapshot()), pg_snapshot_xmax(pg_current_snapshot()), now()
from (select case when s.is_called then s.last_value else s.last_value - 1 end as last from interlock.job_queue_log_id_seq as s) as n;
comment on table interlock.event_cursor is 'The one row that says how far the log is counted.';
comment on column interlock.event_cursor.is_only is 'There is one row.';
comment on column interlock.event_cursor.counted_to is 'Lines with a number up to this are in event_totals, the others are not.';
comment on column interlock.event_cursor.counted_from is
  'Lines that are not counted yet are of this transaction or of later ones: all before it had ended when counted_to was drawn. By this they are found: the log has no index by number.';
comment on column interlock.event_cursor.counted_at is 'All that was committed by then is in event_totals.';
comment on column interlock.event_cursor.mark_id is 'The highest number that was drawn by the time of the mark.';
comment on column interlock.event_cursor.mark_from is 'What counted_from will be once all up to the mark is counted.';
comment on column interlock.event_cursor.mark_xid is
  'The next transaction''s number at the time of the mark. When all before it have ended, every line up to mark_id is there, or never will be.';
comment on column interlock.event_cursor.marked_at is 'When the mark was set.';

-- Alarms.

create table interlock.alarm_policy (
  is_only boolean primary key default true,
  queue_depth integer default 100,
  failed_jobs integer default 10,
  failed_window_seconds integer not null default 3600,
  dead_letter_seconds integer default 300,
  oldest_wait_seconds integer default 3600,
  unserved_seconds integer default 60,
  old_snapshot_seconds integer default 60,
  clear_seconds integer not null default 30,
  is_delivered boolean not null default false,
  looked_at timestamptz not null default '-infinity',
  updated_at timestamptz not null default now(),
  constraint alarm_policy_has_one_row check (is_only),
  constraint alarm_policy_counts_are_sane check (queue_depth between 0 and 10000000 and failed_jobs between 0 and 10000000),
  constraint alarm_policy_seconds_are_sane check (
    failed_window_seconds between 1 and 2592000 and dead_letter_seconds between 1 and 2592000
    and oldest_wait_seconds between 1 and 2592000 and unserved_seconds between 1 and 2592000
    and old_snapshot_seconds between 1 and 2592000 and clear_seconds between 0 and 86400)
) with (fillfactor = 50);
insert into interlock.alarm_policy default values;
comment on table interlock.alarm_policy is
  'The one row that says what is alarming. A bound that is null switches its rule off. Changed at run time by set_alarm_policy().';
comment on column interlock.alarm_policy.is_only is 'There is one row.';
comment on column interlock.alarm_policy.queue_depth is 'More than so many pending jobs in a queue are an alarm.';
comment on column interlock.alarm_policy.failed_jobs is 'More than so many dead letters of a queue that failed within failed_window_seconds, and that nobody has dealt with, are an alarm.';
comment on column interlock.alarm_policy.failed_window_seconds is 'The window of failed_jobs.';
comment on column interlock.alarm_policy.dead_letter_seconds is 'A dead letter is new for so long, unless it is dealt with before, and a queue with a new one is an alarm.';
comment on column interlock.alarm_policy.oldest_wait_seconds is 'A job that is pending for longer is an alarm.';
comment on column interlock.alarm_policy.unserved_seconds is 'A route whose jobs wait for longer without any agent alive that serves it is an alarm.';
comment on column interlock.alarm_policy.old_snapshot_seconds is 'A transaction, prepared transaction or replication slot that keeps the past alive for longer is an alarm.';
comment on column interlock.alarm_policy.clear_seconds is 'An alarm is over when its condition has not held for so long: one that comes and goes is said once.';
comment on column interlock.alarm_policy.is_delivered is 'Some coordinator has a webhook: what is said is put into alarm_deliveries as well.';
comment on column interlock.alarm_policy.looked_at is 'When a coordinator last looked; the others leave it at that for a while.';
comment on column interlock.alarm_policy.updated_at is 'When it last changed.';

create table interlock.raised_alarms (
  rule text collate "C" not null,
  subject text collate "C" not null,
  value double precision not null,
  bound double precision not null,
  message text not null,
  raised_at timestamptz not null,
  seen_at timestamptz not null,
  primary key (rule, subject),
  constraint raised_alarms_rule_is_known check (
    rule in ('queue_depth', 'failed_jobs', 'dead_letter', 'oldest_wait', 'no_agent', 'old_snapshot')),
  constraint raised_alarms_words_are_short check (length(subject) <= 200 and length(message) <= 1000),
  constraint raised_alarms_seen_since check (seen_at >= raised_at)
) with (fillfactor = 50);
comment on table interlock.raised_alarms is
  'One row is an alarm that was raised and is not over. What was is in job_queue_log (alarm_raised, alarm_cleared). Written by settle_alarms() alone.';
comment on column interlock.raised_alarms.rule is 'queue_depth, failed_jobs, dead_letter, oldest_wait, no_agent or old_snapshot.';
comment on column interlock.raised_alarms.subject is 'The queue or the route that it is about; empty: the database.';
comment on column interlock.raised_alarms.value is 'What was found at the last look at which it held.';
comment on column interlock.raised_alarms.bound is 'What alarm_policy allows.';
comment on column interlock.raised_alarms.message is 'The same as a sentence.';
comment on column interlock.raised_alarms.raised_at is 'Since when.';
comment on column interlock.raised_alarms.seen_at is 'When its condition last held.';

create table interlock.alarm_deliveries (
  id uuid primary key default gen_random_uuid(),
  event text not null,
  data jsonb not null,
  created_at timestamptz not null,
  attempts integer not null default 0,
  next_at timestamptz not null,
  last_problem varchar(1000),
  constraint alarm_deliveries_event_is_known check (event in ('alarm.raised', 'alarm.cleared')),
  constraint alarm_deliveries_data_is_an_object check (jsonb_typeof(data) = 'object'),
  constraint alarm_deliveries_attempts_are_few check (attempts between 0 and 100)
) with (fillfactor = 50);
create index alarm_deliveries_due on interlock.alarm_deliveries (next_at);
comment on table interlock.alarm_deliveries is
  'One row is a message to a webhook that has not arrived yet. Taken by take_alarm_deliveries() of whichever coordinator has a webhook, and gone when it arrived, after ten attempts, or after a day.';
comment on column interlock.alarm_deliveries.id is 'The same at each attempt: what the receiver knows a repetition by.';
comment on column interlock.alarm_deliveries.event is 'alarm.raised or alarm.cleared.';
comment on column interlock.alarm_deliveries.data is 'The alarm: rule, subject, value, bound, message, raised_at, and cleared_at.';
comment on column interlock.alarm_deliveries.created_at is 'When it was said.';
comment on column interlock.alarm_deliveries.attempts is 'How often it was taken.';
comment on column interlock.alarm_deliveries.next_at is 'When it may be taken again; of one that was taken, when its taker is believed dead.';
comment on column interlock.alarm_deliveries.last_problem is 'Why it did not arrive at the last attempt.';

-- Down Migration

drop table interlock.alarm_deliveries cascade;
drop table interlock.raised_alarms cascade;
drop table interlock.alarm_policy cascade;
drop table interlock.event_cursor cascade;
drop table interlock.event_totals cascade;
alter table interlock.job_queue_log drop column queue;
