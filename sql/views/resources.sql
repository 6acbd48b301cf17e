create view interlock.resources as
select
  l.pattern,
  l.capacity,
  l.starts_per_minute,
  l.is_paused,
  l.is_pause_only,
  (select count(*) from interlock.job_queue_state as s where s.resource = l.pattern and s.active_job_id is not null) as held,
  (select count(*) from interlock.job_queue_state as s where s.resource = l.pattern and s.reserved_lane_id is not null) as reserved,
  (select count(*) from interlock.job_lanes as p where p.blocked_on = l.pattern) as waiting_lanes,
  l.updated_at
from interlock.resource_limits as l;

comment on view interlock.resources is
  'One row is a limit, with how many hold that resource now, for how many lanes a slot of it is reserved, and how many lanes wait for it. Of a pattern (user:*) the counts are those of no resource: see interlock.locks.';
