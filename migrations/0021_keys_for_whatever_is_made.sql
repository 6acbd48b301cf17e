-- Up Migration

comment on table interlock.idempotency_keys is
  'One row is a key that a caller gave with what it asked for: asked again with it, the verb answers with what it made then (jobs, an execution, a question, a lock, an agent). Kept as long as the log.';
comment on column interlock.idempotency_keys.request_digest is 'SHA-256 of what was asked for: the same key with something else is refused.';
comment on column interlock.idempotency_keys.job_ids is 'The ids of what it made: the jobs that it enqueued, in their order, or one execution, question, lock or agent.';

-- Down Migration

comment on table interlock.idempotency_keys is
  'One row is a key that a caller gave with what it enqueued: asked again with it, enqueue_once() answers with the same jobs. Kept as long as the log.';
comment on column interlock.idempotency_keys.request_digest is 'SHA-256 of the jobs as they were asked for: the same key with others is refused.';
comment on column interlock.idempotency_keys.job_ids is 'The jobs that it enqueued, in their order.';
