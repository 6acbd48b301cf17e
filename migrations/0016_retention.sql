-- Up Migration

-- How long things are kept, where that is a queue's to say: what completed without a result, and dead letters.

alter table interlock.queues
  add column finished_retention_seconds integer not null default 21600,
  add column dead_letter_retention_seconds integer not null default 0,
  add constraint queues_retention_is_sane check (finished_retention_seconds >= 0 and dead_letter_retention_seconds >= 0);
comment on column interlock.queues.finished_retention_seconds is
  'How long the input of a job is kept that completed and returned nothing; 0 for ever. Its line in task_history stays in any case.';
comment on column interlock.queues.dead_letter_retention_seconds is
  'How long a dead letter waits for a person before it is deleted; its error is kept failure_retention_seconds longer. 0: until a person deletes or requeues it.';
comment on column interlock.queues.result_retention_seconds is
  'How long the result of a completed job is kept, with its input; 0 for ever.';

-- Down Migration

alter table interlock.queues
  drop column finished_retention_seconds,
  drop column dead_letter_retention_seconds;
