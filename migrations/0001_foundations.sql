-- Up Migration

-- What the tables are made of; they follow by subject. Rules of these files: a CHECK limits everything, an index is named
-- for the question it answers, columns are ordered for the reader of `select *`: id, state, who,
-- what, when, then the rest. No foreign keys between jobs, lanes and slots: their checks lock rows
-- in an order that is not ours (the auditor's view interlock.violations looks instead).

create schema if not exists interlock;
comment on schema interlock is
  'Interlock, the job coordinator. Verbs are functions, nouns are tables, questions are views: \df+ interlock.* and \d+ interlock.* are the manual.';

-- What tables depend on lives here; every other function is in sql/functions and is installed anew with each release.

create function interlock.clock() returns timestamptz
language sql volatile parallel safe
as $$ select clock_timestamp() $$;
comment on function interlock.clock() is
  'The one clock of the engine: database time, not the start of the transaction. Tests replace it in their template database; nothing in production can move it.';

create sequence interlock.job_numbers as bigint;
comment on sequence interlock.job_numbers is 'Numbers of the jobs whose caller chose no id of its own.';

create function interlock.sortable_id(p_number bigint) returns text
language sql immutable strict parallel safe
as $$ select chr(96 + length(p_number::text)) || p_number::text $$;
comment on function interlock.sortable_id(bigint) is
  'A number as a short id that sorts as text in the order of the numbers: the first letter counts the digits (7 is a7, 1024 is d1024).';

create sequence interlock.grant_numbers as bigint;
comment on sequence interlock.grant_numbers is
  'One number for each grant: the fencing token of the job that starts and the fence of every resource that it is given. A sequence, so that nothing, not even a deleted row, makes a fence fall.';

create function interlock.is_resource_name(p_resource text) returns boolean
language sql immutable strict parallel safe
as $$
  -- Lengths apart from the pattern: a bounded repetition in a regular expression costs ten times as much (13 us a name).
  -- rate: names the start rate of a resource: a job that named it too would take two slots of it where one was found free.
  select p_resource ~ '^[a-z][a-z0-9_]*:[^*[:cntrl:]]+$' and strpos(p_resource, ':') <= 32 and length(p_resource) <= 240 and not starts_with(p_resource, 'rate:')
$$;
comment on function interlock.is_resource_name(text) is
  'Whether this names a resource: kind:value, the kind in lower case, the value without an asterisk, which is for patterns. rate: is for the start rates of resources.';

create function interlock.are_resource_names(p_resources text[]) returns boolean
language sql immutable strict parallel safe
as $$ select coalesce(bool_and(interlock.is_resource_name(r)), true) from unnest(p_resources) as r $$;
comment on function interlock.are_resource_names(text[]) is 'Whether each one names a resource; true for none.';

create function interlock.refuse_change() returns trigger
language plpgsql
as $$
begin
  raise exception using
    errcode = 'IL008',
    message = format('%s is append-only', tg_table_name),
    hint = 'Old rows leave by interlock.prune_history(), which drops whole partitions.';
end
$$;
comment on function interlock.refuse_change() is 'Trigger of append-only tables. Raises IL008 not_permitted.';

create function interlock.is_legal_transition(p_from text, p_to text) returns boolean
language sql immutable parallel safe
as $$
  select (p_from || '>' || p_to) in (
    'scheduled>pending', 'deferred>pending', 'paused>pending', 'deferred>scheduled', 'paused>scheduled', 'deferred>paused',
    'pending>assigned', 'assigned>running',
    'assigned>pending', 'running>pending',
    'assigned>scheduled', 'running>scheduled',
    'assigned>failed', 'running>failed',
    'assigned>paused', 'running>paused', 'pending>paused', 'scheduled>paused',
    'failed>pending'
  )
$$;
comment on function interlock.is_legal_transition(text, text) is
  'The one table of transitions between the states of a live job; a trigger of jobs refuses any other. A job that is completed, cancelled, expired or deleted leaves the table for task_history.';

create function interlock.refuse_transition() returns trigger
language plpgsql
as $$
begin
  raise exception using
    errcode = 'IL003',
    message = format('job %s cannot go from %s to %s', old.id, old.status, new.status);
end
$$;
comment on function interlock.refuse_transition() is 'Trigger of jobs. Raises IL003 illegal_transition.';

-- What one column may hold is checked by its type, when it is written. A CHECK of the table is read and asked again at every
-- statement that changes a row: as such, these made a claim and a completion of one job 19 % dearer.
create domain interlock.job_id as text collate "C"
  constraint job_id_is_plain check (value ~ '^[A-Za-z0-9][A-Za-z0-9._:-]*$' and length(value) <= 128);
comment on domain interlock.job_id is 'The name of a job: 1 to 128 letters, digits and . _ : -';
create domain interlock.task_name as text
  constraint task_name_is_plain check (value ~ '^[A-Za-z0-9][A-Za-z0-9._/-]*$' and length(value) <= 128);
comment on domain interlock.task_name is 'The name of a task: 1 to 128 letters, digits and . _ / -';
create domain interlock.short_name as text
  constraint short_name_is_short check (length(value) between 1 and 200);
comment on domain interlock.short_name is 'A name of 1 to 200 characters.';
create domain interlock.permission_level as text
  constraint permission_level_is_known check (value in ('autonomous', 'supervised', 'human_required'));
comment on domain interlock.permission_level is 'autonomous, supervised or human_required.';
create domain interlock.priority as double precision
  constraint priority_is_sane check (value between 0 and 3);
comment on domain interlock.priority is '0 critical, 1 high, 2 normal, 3 low, any number between.';
create domain interlock.resource_set as text[] collate "C"
  constraint resource_set_is_small check (cardinality(value) <= 32 and array_position(value, null) is null);
comment on domain interlock.resource_set is 'At most 32 resources, sorted in resource order, distinct.';
create domain interlock.run_seconds as integer
  constraint run_seconds_are_sane check (value between 1 and 2592000);
comment on domain interlock.run_seconds is 'How long something may run, in seconds: at most 30 days.';
create domain interlock.job_payload as jsonb
  constraint job_payload_is_an_object check (jsonb_typeof(value) = 'object');
comment on domain interlock.job_payload is 'The input of a job: a JSON object.';

create domain interlock.attempts as integer
  constraint attempts_are_few check (value between 0 and 1000);
comment on domain interlock.attempts is 'How often a job was or may be tried.';
create domain interlock.percent as real
  constraint percent_is_sane check (value between 0 and 100);
comment on domain interlock.percent is '0 to 100.';
create domain interlock.description as text
  constraint description_is_short check (length(value) <= 1024);
comment on domain interlock.description is 'A sentence about progress, of at most 1024 characters.';
create domain interlock.slot_number as integer
  constraint slot_number_is_sane check (value between 1 and 100000);
comment on domain interlock.slot_number is 'The number of a slot, from 1.';
create domain interlock.agent_name as text
  constraint agent_name_is_plain check (value ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$');
comment on domain interlock.agent_name is 'The name of an agent: 1 to 63 letters, digits and . _ -';
create domain interlock.agent_state as text
  constraint agent_state_is_known check (value in ('active', 'draining', 'gone'));
comment on domain interlock.agent_state is 'active, draining or gone.';
create domain interlock.load_level as text
  constraint load_level_is_known check (value in ('low', 'moderate', 'high', 'critical'));
comment on domain interlock.load_level is 'low, moderate, high or critical.';
create domain interlock.liveness as text
  constraint liveness_is_known check (value in ('connection', 'lease'));
comment on domain interlock.liveness is 'How an agent is known to live: by its connection, or by its lease alone.';
create domain interlock.slot_count as integer
  constraint slot_count_is_sane check (value between 1 and 10000);
comment on domain interlock.slot_count is 'How many jobs an agent runs at once.';
create domain interlock.lease_seconds as integer
  constraint lease_seconds_are_sane check (value between 1 and 3600);
comment on domain interlock.lease_seconds is 'For how long a heartbeat is good, in seconds: at most an hour.';
create domain interlock.few_names as text[]
  constraint few_names_are_few check (cardinality(value) between 1 and 100);
comment on domain interlock.few_names is '1 to 100 names.';
create domain interlock.many_names as text[]
  constraint many_names_are_bounded check (cardinality(value) <= 1000);
comment on domain interlock.many_names is 'At most 1000 names.';
create domain interlock.backlog as integer
  constraint backlog_is_not_negative check (value >= 0);
comment on domain interlock.backlog is 'How many wait somewhere.';

-- Down Migration

drop schema interlock cascade;
