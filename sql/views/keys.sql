create view interlock.keys as
select
  k.id,
  k.name,
  case
    when k.revoked_at is not null then 'revoked'
    when k.expires_at <= interlock.clock() then 'expired'
    else 'active'
  end as state,
  k.scopes,
  k.created_at,
  k.created_by,
  k.expires_at,
  k.last_used_at,
  k.rotated_at,
  case when k.previous_until > interlock.clock() then k.previous_until end as previous_until,
  k.revoked_at
from interlock.api_keys as k;

comment on view interlock.keys is 'The keys, without anything of their secrets.';
comment on column interlock.keys.id is 'The middle part of il_ID_SECRET.';
comment on column interlock.keys.name is 'Whose it is: the actor in the log.';
comment on column interlock.keys.state is 'active, expired or revoked.';
comment on column interlock.keys.scopes is 'What it may do.';
comment on column interlock.keys.created_at is 'When it was made.';
comment on column interlock.keys.created_by is 'Who made it.';
comment on column interlock.keys.expires_at is 'When it ends by itself; null: never.';
comment on column interlock.keys.last_used_at is 'When it was last used, to the minute.';
comment on column interlock.keys.rotated_at is 'When it last got another secret.';
comment on column interlock.keys.previous_until is 'Until when the secret before that is good too; null: it is not.';
comment on column interlock.keys.revoked_at is 'When it was revoked.';
