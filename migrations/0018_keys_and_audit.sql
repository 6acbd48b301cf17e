-- Up Migration

-- Who may ask what over HTTP, and who did. Nothing of either is read or written on the way of a job.

create table interlock.api_keys (
  id text collate "C" primary key,
  name text not null,
  scopes text[] not null,
  secret_hash bytea not null,
  previous_hash bytea,
  previous_until timestamptz,
  created_at timestamptz not null,
  created_by text not null,
  rotated_at timestamptz,
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz,
  constraint api_keys_id_is_plain check (id ~ '^[a-z0-9]{8,32}$'),
  constraint api_keys_name_is_plain check (name ~ '^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$'),
  constraint api_keys_scopes_are_known check (scopes <@ '{read,enqueue,work,operate,admin}' and cardinality(scopes) between 1 and 5),
  constraint api_keys_hash_is_one check (length(secret_hash) = 32 and coalesce(length(previous_hash), 32) = 32),
  constraint api_keys_overlap_has_both check ((previous_hash is null) = (previous_until is null))
);
create unique index api_keys_named on interlock.api_keys (name) where revoked_at is null;
comment on table interlock.api_keys is
  'One row is a key: who may ask what over HTTP. Written by create_key(), rotate_key(), revoke_key() and, for its last use, authenticate_key() only. Never deleted: the audit names it. The view keys shows it without its hashes.';
comment on column interlock.api_keys.id is 'The middle part of il_ID_SECRET: what a key is found by, and no secret.';
comment on column interlock.api_keys.name is 'Whose key it is: the actor in the log of all that is done with it. No two keys that are not revoked have the same.';
comment on column interlock.api_keys.scopes is 'What it may do: read, enqueue, work, operate, admin. What each implies is said by the program (src/security/scopes.ts): operate read and enqueue, admin everything.';
comment on column interlock.api_keys.secret_hash is 'SHA-256 of the secret. The secret has 256 random bits and is stored nowhere: a slow hash, which is for words that people choose, would protect nothing more.';
comment on column interlock.api_keys.previous_hash is 'SHA-256 of the secret before the last rotation, good until previous_until.';
comment on column interlock.api_keys.previous_until is 'Until when the secret before the last rotation is good.';
comment on column interlock.api_keys.created_at is 'When it was made.';
comment on column interlock.api_keys.created_by is 'Who made it.';
comment on column interlock.api_keys.rotated_at is 'When it last got another secret.';
comment on column interlock.api_keys.expires_at is 'When it ends by itself; null: never.';
comment on column interlock.api_keys.last_used_at is 'When it was last used, to the minute: noted at most so often, that a call with a key need not write.';
comment on column interlock.api_keys.revoked_at is 'When it was revoked; from then on it is good for nothing.';

create table interlock.audit_log (
  id bigint generated always as identity,
  created_at timestamptz not null,
  actor varchar(200) not null,
  key_id varchar(32),
  operation varchar(200) not null,
  subject varchar(300),
  outcome text not null,
  code varchar(40),
  reason varchar(4096),
  request_id varchar(64),
  constraint audit_log_outcome_is_known check (outcome in ('done', 'refused', 'failed'))
) partition by range (created_at);
create table interlock.audit_log_default partition of interlock.audit_log default;
create index audit_log_recent on interlock.audit_log (id);
create trigger audit_log_is_append_only
  before update or delete on interlock.audit_log
  for each row execute function interlock.refuse_change();
create trigger audit_log_is_not_emptied
  before truncate on interlock.audit_log
  for each statement execute function interlock.refuse_change();
revoke all on interlock.audit_log, interlock.audit_log_default, interlock.api_keys from public;
comment on table interlock.audit_log is
  'One row is something that an operator or an administrator asked for at a door, or that somebody was not permitted; and each change of a key. What holders do to their own jobs is in job_queue_log alone. Append-only, partitioned by month, dropped by partition; kept as long as the history.';
comment on column interlock.audit_log.id is 'The order in which lines were written.';
comment on column interlock.audit_log.created_at is 'When, by the database''s clock.';
comment on column interlock.audit_log.actor is 'Who asked: the name of the key; where no key is asked for, who they said they were.';
comment on column interlock.audit_log.key_id is 'The key that was used; null where none was asked for, and in the database itself.';
comment on column interlock.audit_log.operation is 'What was asked for: the method and the path, or the verb.';
comment on column interlock.audit_log.subject is 'What it was about: the job, the queue, the key.';
comment on column interlock.audit_log.outcome is 'done; refused, for lack of permission or because it was wrong; failed, on our side.';
comment on column interlock.audit_log.code is 'Of what was not done: the error''s code.';
comment on column interlock.audit_log.reason is 'Why it was asked for, in the caller''s words; of what was refused, why.';
comment on column interlock.audit_log.request_id is 'The id of the request, as the log of the service and the answer have it.';

-- TRUNCATE passes by the trigger that refuses changes of rows. Old events leave by whole partitions, which are dropped.
create trigger job_queue_log_is_not_emptied
  before truncate on interlock.job_queue_log
  for each statement execute function interlock.refuse_change();

-- Down Migration

drop trigger job_queue_log_is_not_emptied on interlock.job_queue_log;
drop table interlock.audit_log;
drop table interlock.api_keys;
