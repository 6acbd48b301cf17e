-- Up Migration

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
comment on column interlock.job_lanes.id is 'lane_id(route, task, resources).';
comment on column interlock.job_lanes.task is 'The task of all its jobs.';
comment on column interlock.job_lanes.resources is 'What each of its jobs needs, in resource order.';

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
comment on column interlock.job_lane_touches.inserted_by is 'The transaction that it came with: nearly the order of arrival, and what touch_floor is about.';
comment on column interlock.job_lane_touches.lane_id is 'The lane that something changed about; it need not exist yet.';

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
comment on column interlock.lane_users.queue is 'In which queue.';
comment on column interlock.lane_users.last_started_at is 'When a job of the user was last started there.';

-- Down Migration

drop table interlock.lane_users cascade;
drop table interlock.touch_floor cascade;
drop table interlock.job_lane_touches cascade;
drop table interlock.lane_floors cascade;
drop table interlock.job_lanes cascade;
