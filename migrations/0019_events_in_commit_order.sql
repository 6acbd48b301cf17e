-- Up Migration

-- The numbers of the log are drawn before the commit, so that no number says "everything before this one was seen". What does
-- is a snapshot: new is what is visible now and was not then (read_events()). For that each line bears its transaction. The
-- default is stable, so what is there already gets this migration's number without a line being written.

alter table interlock.job_queue_log
  add column transaction_id xid8 not null default pg_current_xact_id();
comment on column interlock.job_queue_log.transaction_id is
  'The transaction that wrote it: what read_events() tells by whether somebody has seen it. Counted by the server, so it means nothing after a dump was restored into another one.';

-- In place of the index by number: one that is as good for the latest events, and tells those of one transaction. Not beside it:
-- a third index would be written for every line.
create index job_queue_log_by_transaction on interlock.job_queue_log (transaction_id, id);
drop index interlock.job_queue_log_recent;

alter table interlock.installation
  add column system_identifier bigint not null default ((pg_catalog.pg_control_system()).system_identifier),
  add column log_starts_after bigint not null default 0,
  add column log_pruned_through xid8;
comment on column interlock.installation.system_identifier is
  'The server whose transactions job_queue_log counts; another one says that a dump was restored here.';
comment on column interlock.installation.log_starts_after is
  'The last line of job_queue_log that came with a dump: its transaction is another server''s, and read_events() begins behind it.';
comment on column interlock.installation.log_pruned_through is
  'The latest transaction of which prune_history() has dropped lines; who has seen less has missed some.';

-- Down Migration

alter table interlock.installation drop column system_identifier, drop column log_starts_after, drop column log_pruned_through;
drop index interlock.job_queue_log_by_transaction;
create index job_queue_log_recent on interlock.job_queue_log (id);
alter table interlock.job_queue_log drop column transaction_id;
