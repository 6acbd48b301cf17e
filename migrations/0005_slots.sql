-- Up Migration

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
comment on column interlock.job_queue_state.resource is 'kind:value.';
comment on column interlock.job_queue_state.slot is '1 to the capacity; a greater one retires when it is freed.';

-- Down Migration

drop table interlock.job_queue_state cascade;
