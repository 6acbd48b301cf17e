-- Up Migration

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

-- Down Migration

drop table interlock.agent_stats cascade;
drop sequence interlock.incarnations;
