-- Up Migration

-- What a caller was promised under a key of its own. It outlives the jobs, so that who asks again after a lost answer is told
-- what became of them, and gets no second ones.

create table interlock.idempotency_keys (
  key text primary key,
  request_digest bytea not null,
  job_ids text[] not null,
  created_at timestamptz not null,
  constraint idempotency_keys_key_is_short check (length(key) between 1 and 200),
  constraint idempotency_keys_digest_is_one check (length(request_digest) = 32)
);
create index idempotency_keys_by_age on interlock.idempotency_keys (created_at);
comment on table interlock.idempotency_keys is
  'One row is a key that a caller gave with what it enqueued: asked again with it, enqueue_once() answers with the same jobs. Kept as long as the log.';
comment on column interlock.idempotency_keys.key is 'The caller''s own, up to 200 characters.';
comment on column interlock.idempotency_keys.request_digest is 'SHA-256 of the jobs as they were asked for: the same key with others is refused.';
comment on column interlock.idempotency_keys.job_ids is 'The jobs that it enqueued, in their order.';
comment on column interlock.idempotency_keys.created_at is 'When it was first used.';

-- Down Migration

drop table interlock.idempotency_keys;
