-- Up Migration

-- The tables of the first storey. Rules of this file: a CHECK limits everything, an index is named
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
    'scheduled>pending', 'deferred>pending', 'paused>pending', 'deferred>scheduled', 'paused>scheduled',
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

create table interlock.queues (
  name text collate "C" primary key,
  is_paused boolean not null default false,
  tasks text[],
  scheduling text not null default 'fair',
  priority_step_seconds double precision not null default 600,
  patience_seconds double precision not null default 300,
  user_weights jsonb,
  timeout_seconds integer not null default 3600,
  ttl_seconds integer not null default 7200,
  max_attempts integer not null default 3,
  retry_delays_seconds integer[] not null default '{60,180,600}',
  retries_per_minute integer,
  retries_paced_until timestamptz,
  result_retention_seconds integer not null default 86400,
  failure_retention_seconds integer not null default 604800,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint queues_name_is_short check (name ~ '^[a-z][a-z0-9_-]{0,62}$'),
  constraint queues_tasks_are_few check (cardinality(tasks) <= 1000),
  constraint queues_weights_are_an_object check (jsonb_typeof(user_weights) = 'object'),
  constraint queues_scheduling_is_known check (scheduling in ('fair', 'fifo')),
  constraint queues_seconds_are_sane check (
    priority_step_seconds >= 0 and priority_step_seconds <= 1e10 and patience_seconds >= 0
    and timeout_seconds between 1 and 2592000 and ttl_seconds >= 0
    and result_retention_seconds >= 0 and failure_retention_seconds >= 0),
  constraint queues_attempts_are_few check (
    max_attempts between 1 and 100
    and cardinality(retry_delays_seconds) between 0 and 100 and 0 <= all (retry_delays_seconds)
    and retries_per_minute between 1 and 100000)
);
comment on table interlock.queues is 'One row is a queue and its policy. Changed at run time by set_queue().';
comment on column interlock.queues.is_paused is 'A paused queue takes jobs and starts none.';
comment on column interlock.queues.tasks is 'The tasks that it knows; enqueueing another is refused, and so is an agent that does not know them all. Null: any task.';
comment on column interlock.queues.scheduling is 'fair: users are served least recently served first. fifo: by seniority alone.';
comment on column interlock.queues.priority_step_seconds is 'The head start of one priority over the next. Longer than any wait (1e9; set_queue() says strict) means strict priorities, and gives up the bound on waiting between them.';
comment on column interlock.queues.user_weights is '{NAME: n}: in a fair queue this user is served n times (1 to 100) in a turn, others once.';
comment on column interlock.queues.patience_seconds is 'How long the next in line that needs several resources is overtaken before it reserves them. Infinity: for ever.';
comment on column interlock.queues.timeout_seconds is 'The longest that a job runs, unless the job says less; also the longest that its resources are held.';
comment on column interlock.queues.ttl_seconds is 'How long a job may wait before it expires; 0 for ever.';
comment on column interlock.queues.max_attempts is 'How often a job is started before it fails for good.';
comment on column interlock.queues.retry_delays_seconds is 'The waits before the second, third, ... attempt, on average: each is drawn from half of it to one and a half. The last one repeats; empty means at once.';
comment on column interlock.queues.retries_per_minute is 'The budget of retries: those beyond it come later, at this pace. Null: any number.';
comment on column interlock.queues.retries_paced_until is 'When the next retry beyond the budget may come; kept by retry_at().';
comment on column interlock.queues.result_retention_seconds is 'How long the result of a completed job is kept; 0 for ever.';
comment on column interlock.queues.failure_retention_seconds is 'How long what failed, was cancelled or expired is kept; 0 for ever.';

insert into interlock.queues (name, ttl_seconds, max_attempts, result_retention_seconds) values
  ('high', 3600, 3, 86400), ('default', 7200, 3, 86400), ('low', 14400, 2, 43200);
-- Manual locks wait here. No task: nothing but acquire_lock() enters it. Without patience, so that who is next in line is
-- never overtaken: an agent that ends a job claims the next of its own queues before anybody hears the bell of this one.
insert into interlock.queues
  (name, tasks, scheduling, patience_seconds, ttl_seconds, max_attempts, retry_delays_seconds, result_retention_seconds, failure_retention_seconds) values
  ('locks', '{}', 'fifo', 0, 0, 1, '{}', 3600, 3600);

create table interlock.resource_limits (
  pattern text collate "C" primary key,
  capacity integer,
  starts_per_minute integer,
  is_paused boolean not null default false,
  is_pause_only boolean not null default false,
  updated_at timestamptz not null default now(),
  constraint resource_limits_rate_is_sane check (starts_per_minute between 1 and 100000),
  constraint resource_limits_pattern_is_a_name check (
    pattern ~ '^[a-z][a-z0-9_]{0,30}:[^*[:cntrl:]]{0,200}[*]?$' and pattern !~ ':$'),
  constraint resource_limits_capacity_is_sane check (capacity between 0 and 100000),
  constraint resource_limits_pause_names_one check (not is_paused or pattern !~ '[*]$')
);
create index resource_limits_by_prefix on interlock.resource_limits (pattern) where pattern like '%*';
comment on table interlock.resource_limits is
  'Capacity by resource or by pattern, looked up when a lane is examined, so that a change applies at once to what already waits. Without a row a resource that a job names has capacity 1. limit:all, queue:NAME and task:NAME apply to every job (of the queue, of the task) while they have a row. Changed by set_limit() and remove_limit() only: they wake what a change frees.';
comment on column interlock.resource_limits.pattern is 'A resource, or a prefix that ends in an asterisk (user:*). The exact name wins, then the longest prefix.';
comment on column interlock.resource_limits.capacity is 'How many jobs may use such a resource at once. Null: unlimited, it takes no slot.';
comment on column interlock.resource_limits.starts_per_minute is 'How many jobs that need such a resource may start within any minute, each resource by itself. Null: any number. A slot of rate:RESOURCE for each start of the last minute.';
comment on column interlock.resource_limits.is_pause_only is 'The row is there for the pause alone: capacity and rate are those of the longest prefix, or the default.';
comment on column interlock.resource_limits.is_paused is 'A paused resource is granted to nobody; who holds it goes on.';

create table interlock.jobs (
  id interlock.job_id primary key default interlock.sortable_id(nextval('interlock.job_numbers')),
  status text not null,
  task interlock.task_name not null,
  kind interlock.short_name not null default 'normal',
  user_name interlock.short_name,
  project interlock.short_name,
  queue text not null,
  permission_level interlock.permission_level not null default 'autonomous',
  priority interlock.priority not null default 2,
  resources interlock.resource_set not null default '{}',
  agent_id text,
  token bigint,
  attempt interlock.attempts not null default 0,
  max_attempts interlock.attempts not null,
  progress interlock.percent,
  progress_description interlock.description,
  created_at timestamptz not null,
  run_at timestamptz,
  queued_at timestamptz,
  assigned_at timestamptz,
  started_at timestamptz,
  finished_at timestamptz,
  expires_at timestamptz,
  cancel_requested_at timestamptz,
  cancel_reason text,
  timeout_seconds interlock.run_seconds not null,
  retry_delays_seconds integer[],
  seniority timestamptz,
  lane_id uuid not null,
  held text[] collate "C",
  held_slots integer[],
  lease_until timestamptz,
  error jsonb,
  payload interlock.job_payload not null default '{}',
  constraint jobs_status_is_live check (status = any ('{scheduled,deferred,paused,pending,assigned,running,failed}')),
  constraint jobs_pending_has_seniority check (status <> 'pending' or (seniority is not null and queued_at is not null)),
  constraint jobs_scheduled_has_a_time check (status <> 'scheduled' or run_at is not null),
  constraint jobs_held_have_a_holder check (
    (status in ('assigned', 'running')) = (held is not null)
    and (held is null) = (held_slots is null)
    and (held is null or (agent_id is not null and token is not null and assigned_at is not null
                          and cardinality(held) = cardinality(held_slots))))
) with (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
create index jobs_waiting_in_lane on interlock.jobs (lane_id, seniority, id) where status = 'pending';
create index jobs_due on interlock.jobs (run_at) where status = 'scheduled';
create index jobs_held_by_agent on interlock.jobs (agent_id) where held is not null;
create index jobs_expiring on interlock.jobs (expires_at) where expires_at is not null and held is null and status <> 'failed';
create index jobs_lock_leases on interlock.jobs (lease_until) where lease_until is not null;
create index jobs_dead on interlock.jobs (finished_at) where status = 'failed';
create index jobs_of_user on interlock.jobs (user_name, id) where user_name is not null;
create trigger jobs_refuse_illegal_transition
  before update of status on interlock.jobs
  for each row
  when (old.status <> new.status and not interlock.is_legal_transition(old.status, new.status))
  execute function interlock.refuse_transition();

comment on table interlock.jobs is
  'One row is a live job: waiting, running, or failed for good (the dead letter). Narrow and hot: a job that ends moves to task_history and job_results in the same transaction. Written by the verbs only.';
comment on column interlock.jobs.id is 'The caller''s own id, or the next number as a sortable id. Ties in seniority go by it.';
comment on column interlock.jobs.status is 'scheduled, deferred, paused -> pending -> assigned -> running; failed is the dead letter. See is_legal_transition().';
comment on column interlock.jobs.task is 'The kind of work; an agent''s owner maps it to a command or a module.';
comment on column interlock.jobs.kind is 'normal, workflow, or what the caller calls it (image, video): for people, not for the scheduler.';
comment on column interlock.jobs.user_name is 'Whose job it is. It needs the resource user:NAME unless exclusivity by user is off. Of a manual lock: its owner.';
comment on column interlock.jobs.project is 'To filter and clean up by.';
comment on column interlock.jobs.queue is 'Its policy and, with the permission level, its route.';
comment on column interlock.jobs.permission_level is 'autonomous, supervised or human_required: which agents may claim it.';
comment on column interlock.jobs.priority is '0 critical, 1 high, 2 normal, 3 low, any number between: a head start in seniority.';
comment on column interlock.jobs.resources is 'What it needs, sorted and distinct, in resource order: all of them or none.';
comment on column interlock.jobs.agent_id is 'The incarnation that holds it, or held it last.';
comment on column interlock.jobs.token is 'The fencing token of its latest claim. Every write of the holder names it; an old one is refused (IL002).';
comment on column interlock.jobs.attempt is 'How often it was started.';
comment on column interlock.jobs.progress is '0 to 100, clamped.';
comment on column interlock.jobs.run_at is 'Not before this time; for a retry, when it is due.';
comment on column interlock.jobs.queued_at is 'When it first became pending. Its wait, and its patience, count from here.';
comment on column interlock.jobs.expires_at is 'If it has not started by then it expires.';
comment on column interlock.jobs.cancel_requested_at is 'Set when a running job is asked to stop; its resources stay taken until its process is confirmed gone.';
comment on column interlock.jobs.seniority is 'queued_at + priority x the queue''s step: the smaller, the sooner. Kept over retries and returns; changed only by set_priority().';
comment on column interlock.jobs.lane_id is 'lane_id(route, task, resources): computed, never looked up.';
comment on column interlock.jobs.held is 'The resources that it was given when it started, the unlimited ones left out and limits added: what a release frees.';
comment on column interlock.jobs.held_slots is 'Which slot of each.';
comment on column interlock.jobs.lease_until is 'Of a manual lock (queue locks), and null of all else: until when its owner is believed to be there. Moved on by poll_lock() while it waits and by extend_lock() while it is held; expire_locks() ends it afterwards.';
comment on column interlock.jobs.error is 'The error of its latest failed attempt: {message, stack?, code?, ...}.';

create table interlock.job_lanes (
  id uuid primary key,
  route text collate "C" not null,
  task text not null,
  resources text[] collate "C" not null,
  rank timestamptz,
  blocked_on text collate "C",
  reserving boolean not null default false,
  seniority timestamptz,
  waiting_since timestamptz,
  turn_at timestamptz,
  blocked_head text,
  awake_by xid8 not null default pg_current_xact_id(),
  constraint job_lanes_parked_have_a_rank check (blocked_on is null or rank is not null),
  constraint job_lanes_reserving_have_a_rank check (not reserving or rank is not null)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
create index job_lanes_awake on interlock.job_lanes (route, rank, id) where rank is not null and blocked_on is null;
create index job_lanes_awake_by on interlock.job_lanes (route, awake_by, rank) where rank is not null and blocked_on is null;
create index job_lanes_parked on interlock.job_lanes (blocked_on, route, rank, id) where blocked_on is not null;
create index job_lanes_parked_of_user on interlock.job_lanes (blocked_on, (resources[1]), route, rank, id) where blocked_on is not null;
create index job_lanes_reserving_parked on interlock.job_lanes (blocked_on, rank, id) where reserving and blocked_on is not null;
create index job_lanes_reserving_awake on interlock.job_lanes (rank, id) where reserving and blocked_on is null;
comment on table interlock.job_lanes is
  'One row is a lane: the waiting jobs of one route, task and set of resources, of which only the head can start next. A thousand jobs of alice on flux are one lane; that is why a claim costs the same however many wait.';
comment on column interlock.job_lanes.route is 'queue/permission level: all that a claimer may choose by.';
comment on column interlock.job_lanes.rank is 'Its place among lanes, from its head; null: nothing waits in it.';
comment on column interlock.job_lanes.blocked_on is 'The line that it is parked in: that of a resource, or behind another lane of its user there (see sibling_line() and obstacle_of()); null with a rank: awake, worth examining.';
comment on column interlock.job_lanes.reserving is 'Its head has waited beyond its patience and is next in line: it holds the resources before the one it is parked on.';
comment on column interlock.job_lanes.seniority is 'Of its head, as waiting_since is its queued_at: with them a rank that has grown stale is corrected without a look at the job.';
comment on column interlock.job_lanes.waiting_since is 'queued_at of its head.';
comment on column interlock.job_lanes.turn_at is 'Its turn, given when its head had waited beyond the patience: being served counts at most as this, so it keeps its place whatever its user is served later.';
comment on column interlock.job_lanes.awake_by is 'The transaction that last made it awake, or gave it a rank that may be sooner while it was: what lane_floors is about.';
comment on column interlock.job_lanes.blocked_head is 'The head whose blocked event is in the log: one event for each head that parks, not for each time it does.';

create table interlock.lane_floors (
  route text collate "C" not null,
  rank timestamptz not null,
  below xid8 not null,
  but xid8[] not null,
  raised_at timestamptz not null,
  server_started_at timestamptz not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 100, autovacuum_vacuum_cost_delay = 0);
-- The newest is found first; a unique key would be looked through for it at each change.
create index lane_floors_newest on interlock.lane_floors (route, raised_at desc);
comment on table interlock.lane_floors is
  'One row says where a claim finds the awake lanes of a route: at this rank or later, or else made awake by a transaction that is not below this one, or is one of those named. While somebody holds an old snapshot the index keeps an entry for each lane that was served since, and a look from its start passes them all: a minute of it made a claim six times as dear. Raised by raise_lane_floors().';
comment on column interlock.lane_floors.route is 'queue/permission level. Said by register_agent() for each that an agent serves.';
comment on column interlock.lane_floors.rank is 'No lane that was awake when it was raised has a sooner one.';
comment on column interlock.lane_floors.raised_at is 'When it was last raised: at most every 50 ms, by a claim.';
comment on column interlock.lane_floors.below is 'A transaction id of this server.';
comment on column interlock.lane_floors.but is 'Transactions below it that had not ended when it was raised.';
comment on column interlock.lane_floors.server_started_at is 'The floor holds while the server runs that it was raised on. A database that was restored elsewhere has other transactions.';

create table interlock.job_lane_touches (
  lane_id uuid not null,
  inserted_by xid8 not null default pg_current_xact_id()
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
create index job_lane_touches_of_transaction on interlock.job_lane_touches (inserted_by);
comment on table interlock.job_lane_touches is
  'An inbox: something about this lane changed. Every way into or out of pending, except starting, inserts one; absorb_touches() reads the lane''s true head and takes it away.';

create table interlock.touch_floor (
  below xid8 not null,
  but xid8[] not null,
  raised_at timestamptz not null,
  server_started_at timestamptz not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 100, autovacuum_vacuum_cost_delay = 0);
create index touch_floor_newest on interlock.touch_floor (raised_at desc);
insert into interlock.touch_floor (below, but, raised_at, server_started_at) values ('0', '{}', '-infinity', '-infinity');
comment on table interlock.touch_floor is
  'One row: no touch is left, and none can come any more, of the transactions below this one but those named. absorb_touches() looks from here on, for the same reason as there is for lane_floors. Raised by raise_touch_floor().';
comment on column interlock.touch_floor.below is 'A transaction id of this server.';
comment on column interlock.touch_floor.but is 'Those below it that may have touches yet: they had not ended when it was raised.';
comment on column interlock.touch_floor.raised_at is 'When it was last raised: at most every 100 ms, by whoever absorbs.';
comment on column interlock.touch_floor.server_started_at is 'It holds while the server runs that it was raised on.';

create table interlock.lane_users (
  queue text collate "C" not null,
  user_key text collate "C" not null,
  last_started_at timestamptz,
  starts integer not null default 0,
  last_turn_at timestamptz,
  primary key (queue, user_key)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
comment on table interlock.lane_users is
  'When a user was last served in a fair queue: least recently served goes first.';
comment on column interlock.lane_users.user_key is 'The resource: user:NAME.';
comment on column interlock.lane_users.last_started_at is 'When the user was last served; with a weight of n, at the last of n starts.';
comment on column interlock.lane_users.starts is 'Starts since then, of a user with a weight.';
comment on column interlock.lane_users.last_turn_at is 'When a lane of theirs was last given a turn: one at most within the patience.';

create table interlock.job_queue_state (
  resource text collate "C" not null,
  slot interlock.slot_number not null,
  active_job_id text collate "C",
  active_job_type text,
  active_models text[],
  started_at timestamptz,
  fence bigint,
  reserved_lane_id uuid,
  taken_until timestamptz,
  era timestamptz not null default clock_timestamp(),
  primary key (resource, slot),
  constraint job_queue_state_is_held_or_reserved check (active_job_id is null or reserved_lane_id is null),
  constraint job_queue_state_held_has_a_fence check (active_job_id is null or fence is not null)
) with (fillfactor = 20, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
create index job_queue_state_newest on interlock.job_queue_state (resource, slot, era desc);
create index job_queue_state_more on interlock.job_queue_state (resource, slot) where slot > 1;
comment on table interlock.job_queue_state is
  'One row is a slot of a resource: free, held by one job, or reserved for a lane, never both. Updated in place (rows that came and went made a lookup four times slower within seconds). Changed only under the resource''s advisory lock.';
comment on column interlock.job_queue_state.active_job_id is 'Who holds it; null: free or reserved.';
comment on column interlock.job_queue_state.era is 'Set anew at about one change in 20, so that the newest row is found first: while somebody holds an old snapshot all the former ones stay in the index, and in the way.';
comment on column interlock.job_queue_state.active_job_type is 'The holder''s kind.';
comment on column interlock.job_queue_state.active_models is 'All the models that the holder holds.';
comment on column interlock.job_queue_state.started_at is 'When it was last granted.';
comment on column interlock.job_queue_state.fence is 'The number of its latest grant, for the systems behind the resource to refuse a stale holder. Never falls.';
comment on column interlock.job_queue_state.reserved_lane_id is 'The lane that it is kept for.';
comment on column interlock.job_queue_state.taken_until is 'Of a start rate (rate:RESOURCE) only: the start that took this slot counts until then, whatever became of its job.';

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
comment on column interlock.job_queue_log.event_type is 'enqueued, due, assigned, started, blocked, completed, retried, failed, cancel_requested, cancelled, returned, lost, requeued, reprioritised, expired, deleted, or of an agent: agent_registered, agent_draining, agent_gone.';
comment on column interlock.job_queue_log.job_type is 'The job''s kind.';
comment on column interlock.job_queue_log.token is 'The fencing token of the claim that the event belongs to.';
comment on column interlock.job_queue_log.actor is 'Who asked for it, where somebody did.';
comment on column interlock.job_queue_log.conflict_reason is 'Why, in words.';
comment on column interlock.job_queue_log.resources is 'With assigned: what was granted, under the token as fence. With the end of a claim: what was freed.';

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

create sequence interlock.incarnations as integer;
comment on sequence interlock.incarnations is 'Numbers of the incarnations of agents; each is also the key of its liveness lock.';

create table interlock.agent_stats (
  id text collate "C" primary key,
  state interlock.agent_state not null default 'active',
  name interlock.agent_name not null,
  incarnation integer not null unique,
  host text,
  pid integer,
  queues interlock.few_names not null,
  permission_levels interlock.few_names not null,
  routes text[] collate "C" not null,
  tasks interlock.many_names,
  slots interlock.slot_count not null,
  active_jobs integer not null default 0,
  cpu_percent interlock.percent,
  memory_percent interlock.percent,
  queue_depth interlock.backlog,
  load_score real not null default 0,
  load_level interlock.load_level not null default 'low',
  liveness interlock.liveness not null default 'lease',
  lease_seconds interlock.lease_seconds not null,
  lease_until timestamptz not null,
  registered_at timestamptz not null,
  last_heartbeat_at timestamptz not null,
  lock_missing_since timestamptz,
  lock_missed_at timestamptz,
  unlisted_job_ids text[],
  unlisted_tokens bigint[],
  era timestamptz not null default clock_timestamp(),
  ended_at timestamptz,
  end_reason text,
  server_started_at timestamptz not null
) with (fillfactor = 50);
-- Manual locks are held in the name of an agent that is no process: it has no lease that could end, and is listed nowhere.
insert into interlock.agent_stats (id, name, incarnation, queues, permission_levels, routes, slots, lease_seconds, lease_until,
  registered_at, last_heartbeat_at, server_started_at)
values ('locks.0', 'locks', 0, '{locks}', '{autonomous}', '{locks/autonomous}', 10000, 1, 'infinity', now(), now(), now());
create index agent_stats_newest on interlock.agent_stats (id, era desc);
create index agent_stats_alive on interlock.agent_stats (id) where state <> 'gone';
comment on table interlock.agent_stats is
  'One row is an incarnation of an agent: a process that runs jobs, from one registration to its end. Its heartbeat writes here, once for all its jobs.';
comment on column interlock.agent_stats.id is 'name.incarnation';
comment on column interlock.agent_stats.routes is 'What it may claim: each of its queues with each of its permission levels.';
comment on column interlock.agent_stats.tasks is 'The tasks that it can run; null: any.';
comment on column interlock.agent_stats.slots is 'How many jobs it runs at once.';
comment on column interlock.agent_stats.active_jobs is 'How many it holds now.';
comment on column interlock.agent_stats.load_score is '0 to 100: CPU 40 %, memory 35 %, queue depth 25 %.';
comment on column interlock.agent_stats.liveness is 'connection: it holds the session-level advisory lock agent_lock_class(), incarnation; lease: only its heartbeat tells.';
comment on column interlock.agent_stats.lease_until is 'Until when it is believed alive, in database time.';
comment on column interlock.agent_stats.lock_missing_since is 'Since when its liveness lock is seen to be gone; null while it is held.';
comment on column interlock.agent_stats.lock_missed_at is 'When it was last looked for and not found.';
comment on column interlock.agent_stats.unlisted_job_ids is 'Jobs that are its own here and that its latest heartbeat did not list: the tick gives them back.';
comment on column interlock.agent_stats.era is 'As in job_queue_state: set anew at about one change in 20, so that the newest row is found first.';
comment on column interlock.agent_stats.unlisted_tokens is 'Their tokens.';
comment on column interlock.agent_stats.server_started_at is 'When the server had started as it registered: after a restart its lock says nothing.';

create table interlock.installation (
  only_row boolean primary key default true check (only_row),
  program_version text not null,
  functions_digest text not null,
  installed_at timestamptz not null
);
comment on table interlock.installation is 'Which release installed the functions and views: a roll-out never puts older ones back.';

-- The other columns, so that \d+ needs no guessing.

comment on column interlock.agent_stats.state is 'active, draining (finishes what it holds, claims no more) or gone.';
comment on column interlock.agent_stats.name is 'Its owners name for it; a new incarnation of a name supersedes the former one.';
comment on column interlock.agent_stats.incarnation is 'Which registration this is; the second key of its liveness lock.';
comment on column interlock.agent_stats.host is 'Where it runs, for people.';
comment on column interlock.agent_stats.pid is 'Its process, for people.';
comment on column interlock.agent_stats.queues is 'The queues that it serves.';
comment on column interlock.agent_stats.permission_levels is 'The permission levels whose jobs it may claim.';
comment on column interlock.agent_stats.cpu_percent is '0 to 100, as it measured it itself.';
comment on column interlock.agent_stats.memory_percent is '0 to 100, as it measured it itself.';
comment on column interlock.agent_stats.queue_depth is 'How many jobs it said it has in hand.';
comment on column interlock.agent_stats.load_level is 'low below 40, moderate below 60, high below 80, critical.';
comment on column interlock.agent_stats.lease_seconds is 'By how much a heartbeat extends its lease.';
comment on column interlock.agent_stats.registered_at is 'When this incarnation began.';
comment on column interlock.agent_stats.last_heartbeat_at is 'When it was last heard of.';
comment on column interlock.agent_stats.ended_at is 'When it was given up or said good-bye.';
comment on column interlock.agent_stats.end_reason is 'Why it ended; superseded while a former incarnation still has to go.';
comment on column interlock.installation.only_row is 'Keeps this table at one row.';
comment on column interlock.installation.program_version is 'The release that installed the functions and views.';
comment on column interlock.installation.functions_digest is 'A digest of their texts: a start with other ones installs them.';
comment on column interlock.installation.installed_at is 'When that was.';
comment on column interlock.job_lane_touches.inserted_by is 'The transaction that it came with: nearly the order of arrival, and what touch_floor is about.';
comment on column interlock.job_lane_touches.lane_id is 'The lane that something changed about; it need not exist yet.';
comment on column interlock.job_lanes.id is 'lane_id(route, task, resources).';
comment on column interlock.job_lanes.task is 'The task of all its jobs.';
comment on column interlock.job_lanes.resources is 'What each of its jobs needs, in resource order.';
comment on column interlock.job_output.job_id is 'Whose output it is.';
comment on column interlock.job_output.attempt is 'Which of its attempts wrote it.';
comment on column interlock.job_output.stream is 'stdout, stderr, or system for a mark of ours.';
comment on column interlock.job_output.created_at is 'When it was stored, not when it was written.';
comment on column interlock.job_queue_log.id is 'The order in which events were written; under one resources lock also the order in which they happened.';
comment on column interlock.job_queue_log.created_at is 'When it happened, by the databases clock.';
comment on column interlock.job_queue_log.job_id is 'The job; null for an event of an agent, a queue or a limit.';
comment on column interlock.job_queue_log.from_status is 'The state before; null for a job that is new.';
comment on column interlock.job_queue_log.to_status is 'The state after.';
comment on column interlock.job_queue_log.agent_id is 'The incarnation that it happened to, or that held the job.';
comment on column interlock.job_queue_log.details is 'What else there is to say: blocked_on and blocked_by_job_id, run_at, the settings that changed.';
comment on column interlock.job_queue_state.resource is 'kind:value.';
comment on column interlock.job_queue_state.slot is '1 to the capacity; a greater one retires when it is freed.';
comment on column interlock.job_results.job_id is 'The job that ended.';
comment on column interlock.job_results.finished_at is 'When it ended.';
comment on column interlock.job_results.expires_at is 'Until when this is kept; null for ever.';
comment on column interlock.job_results.payload is 'Its input; null if it was empty.';
comment on column interlock.job_results.result is 'What it returned, where it completed.';
comment on column interlock.job_results.error is 'What it failed with, where it did not.';
comment on column interlock.jobs.max_attempts is 'How often it may be started before it fails for good.';
comment on column interlock.jobs.progress_description is 'What it is doing, in its own words, up to 1,024 characters.';
comment on column interlock.jobs.created_at is 'When it was enqueued.';
comment on column interlock.jobs.assigned_at is 'When it was last given to an agent.';
comment on column interlock.jobs.started_at is 'When that agent confirmed the start of its process; null until then.';
comment on column interlock.jobs.finished_at is 'When it failed for good.';
comment on column interlock.jobs.cancel_reason is 'Why it was asked to stop.';
comment on column interlock.jobs.timeout_seconds is 'How long an attempt may run.';
comment on column interlock.jobs.retry_delays_seconds is 'Its own waits before the second, third, ... attempt; null: the queues.';
comment on column interlock.jobs.payload is 'Its input, an object of at most 256 KiB.';
comment on column interlock.lane_users.queue is 'In which queue.';
comment on column interlock.lane_users.last_started_at is 'When a job of the user was last started there.';
comment on column interlock.queues.name is 'What jobs and agents call it.';
comment on column interlock.queues.created_at is 'When it was made.';
comment on column interlock.queues.updated_at is 'When its policy last changed.';
comment on column interlock.resource_limits.updated_at is 'When it last changed.';
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

-- Down Migration

drop schema interlock cascade;
