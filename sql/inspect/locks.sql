-- Who holds which resource, jobs and manual locks alike: with fence, lease, and for whom it is reserved

select
  l.resource,
  l.slot || coalesce(' of ' || l.capacity, '') as slot,
  l.state,
  l.kind,
  l.job_id,
  l.owner,
  l.task,
  l.agent_id,
  l.fence,
  interlock.duration_words(interlock.clock() - l.since) as held_for,
  round(extract(epoch from l.lease_until - interlock.clock())::numeric, 1) as lease_left_seconds
from interlock.locks as l
order by l.resource, l.slot
limit 500;
