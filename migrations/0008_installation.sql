-- Up Migration

create table interlock.installation (
  only_row boolean primary key default true check (only_row),
  program_version text not null,
  functions_digest text not null,
  installed_at timestamptz not null
);
comment on table interlock.installation is 'Which release installed the functions and views: a roll-out never puts older ones back.';
comment on column interlock.installation.only_row is 'Keeps this table at one row.';
comment on column interlock.installation.program_version is 'The release that installed the functions and views.';
comment on column interlock.installation.functions_digest is 'A digest of their texts: a start with other ones installs them.';
comment on column interlock.installation.installed_at is 'When that was.';

-- Down Migration

drop table interlock.installation cascade;
