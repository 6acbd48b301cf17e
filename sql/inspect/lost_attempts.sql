-- Jobs whose agent or keeper was lost beneath them in the last day: one at the top again and again may be what kills them

with lost as (
  select e.job_id, e.agent_id, e.created_at
  from interlock.job_queue_log as e
  where e.created_at > now() - interval '1 day'
    and e.job_id is not null
    and (e.event_type = 'lost' or (e.event_type in ('retried', 'failed') and e.conflict_reason ~ '^its (keeper|agent) '))
)
select l.job_id, coalesce(j.task, h.task) as task, coalesce(j.user_name, h.user_name) as user_name, coalesce(j.status, h.outcome) as is_now,
  count(*) as times_lost, array_agg(distinct l.agent_id) as agents,
  interlock.duration_words(interlock.clock() - max(l.created_at)) || ' ago' as last_time
from lost as l
left join interlock.jobs as j on j.id = l.job_id
left join lateral (
  select x.task, x.user_name, x.outcome
  from interlock.task_history as x
  where x.job_id = l.job_id
  order by x.finished_at desc
  limit 1
) as h on true
group by l.job_id, j.task, h.task, j.user_name, h.user_name, j.status, h.outcome
order by count(*) desc, max(l.created_at) desc
limit 50;
