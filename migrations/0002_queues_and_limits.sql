-- Up Migration

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
comment on column interlock.queues.name is 'What jobs and agents call it.';
comment on column interlock.queues.created_at is 'When it was made.';
comment on column interlock.queues.updated_at is 'When its policy last changed.';

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
comment on column interlock.resource_limits.updated_at is 'When it last changed.';

-- Down Migration

drop table interlock.resource_limits cascade;
drop table interlock.queues cascade;
