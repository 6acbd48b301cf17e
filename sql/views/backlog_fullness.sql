create view interlock.backlog_fullness as
select
  b.scope,
  b.max_unfinished,
  b.when_full,
  b.refuse_after_wait_seconds,
  f.unfinished,
  coalesce(f.unfinished >= b.max_unfinished, false) as is_full,
  s.is_overloaded or coalesce(f.unfinished >= b.max_unfinished and b.when_full = 'refuse', false) as is_refusing,
  case
    when s.is_overloaded then pg_catalog.format('its next job has waited for an agent for more than %s s', b.refuse_after_wait_seconds)
    when f.unfinished >= b.max_unfinished then pg_catalog.format('%s of at most %s jobs are unfinished%s', f.unfinished, b.max_unfinished,
      case b.when_full when 'drop_oldest' then ', and the oldest that waits is deleted for a new one' else '' end)
  end as reason
from interlock.backlog_limits as b
cross join lateral (
  select case when b.max_unfinished is not null then interlock.count_unfinished(b.scope, true) end as counted
) as c
cross join lateral (
  -- How many were there before the limit is known as "at most" only: looked for where it makes the difference.
  select case
    when b.uncounted_jobs > 0 and c.counted < b.max_unfinished and c.counted + b.uncounted_jobs >= b.max_unfinished
      then c.counted + interlock.count_unfinished(b.scope, false)
    else c.counted + b.uncounted_jobs
  end as unfinished
) as f
cross join lateral (
  select b.refuse_after_wait_seconds is not null
    and interlock.longest_agent_wait(pg_catalog.substr(b.scope, 7)) > b.refuse_after_wait_seconds * interval '1 second'
    and not exists (select from interlock.queues as q where q.name = pg_catalog.substr(b.scope, 7) and q.is_paused) as is_overloaded
) as s;

comment on view interlock.backlog_fullness is
  'One row is a limit of unfinished jobs (all, queue:NAME, task:NAME): how many there are, whether it is full, whether the next job would be refused (IL007), and why, as make_room() would say it. Empty where nothing is limited. Costs the counting of what is limited, as an enqueueing under the limit does.';
