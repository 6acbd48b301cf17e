-- Which jobs wait for a person, what they ask, until when, and what they gave back meanwhile

select
  r.id as request_id,
  r.job_id,
  r.task,
  r.user_name,
  r.request_type,
  left(r.message, 80) as question,
  interlock.duration_words(interlock.clock() - r.created_at) as waits,
  case when r.status = 'open' then interlock.duration_words(r.expires_at - interlock.clock()) else r.status || ', takes it again' end as time_left,
  r.given_back,
  r.agent_id
from interlock.requests as r
where (r.state = 'open' and r.status = 'open')
  or r.is_away
order by r.created_at
limit 100;
