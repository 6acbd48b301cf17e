create view interlock.requests as
select
  m.id,
  case
    when m.state = 'open' and m.expires_at <= interlock.clock() then 'expired'
    when m.state = 'open' and j.id is null then 'closed'
    else m.state
  end as status,
  m.job_id,
  m.task,
  m.user_name,
  m.agent_id,
  m.request_type,
  m.message,
  m.created_at,
  m.expires_at,
  m.settled_at,
  m.conversation_id,
  m.parent_message_id,
  m.token,
  m.context,
  m.given_back,
  m.given_back is not null and m.resumed_at is null and j.id is not null as is_away,
  m.companion_id,
  case when m.resume_fence is not null and m.resumed_at is not null and j.id is not null then (
    select jsonb_object_agg(h.resource, m.resume_fence)
    from unnest(j.held) as h (resource)
    where (interlock.resource_order(h.resource), h.resource collate "C") >= (interlock.resource_order(m.given_back[1]), m.given_back[1])
  ) end as fences,
  m.resumed_at,
  r.id as response_id,
  r.response_type,
  r.message as response,
  r.instructions,
  r.generated_by,
  r.responder_id,
  r.created_at as answered_at,
  m.state
from interlock.job_messages as m
left join interlock.jobs as j
  on j.id = m.job_id
  and j.token = m.token
  and j.held is not null
left join interlock.job_messages as r
  on r.parent_message_id = m.id
  and r.kind = 'response'
where m.kind = 'request';

comment on view interlock.requests is
  'The questions of jobs, each with its answer, as they stand now: status is open, answered, expired or closed (the claim that asked is over). is_away: the job has given back what is listed and does not hold it again yet; until then its worker is told of no answer; fences: those under which it holds it again.';
