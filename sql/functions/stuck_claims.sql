create function interlock.stuck_claims(p_limit integer default 100)
returns table (job_id text, token bigint, reason text)
language sql stable
set search_path = ''
set enable_seqscan = off
as $$
  select s.job_id::text, s.token, s.reason
  from (
    select j.id as job_id, j.token, 'its start was not confirmed in time' as reason
    from interlock.agent_stats as a
    join interlock.jobs as j on j.agent_id = a.id and j.held is not null
    where a.state <> 'gone'
      and j.status = 'assigned'
      and j.assigned_at < interlock.clock() - interval '10 seconds'
      and j.lease_until is null
    union all
    select u.id, u.token, 'its agent does not know it any more'
    from interlock.agent_stats as a
    cross join lateral unnest(a.unlisted_job_ids, a.unlisted_tokens) as u (id, token)
    join interlock.jobs as j on j.id = u.id and j.token = u.token and j.held_slots is not null
    where a.state <> 'gone'
  ) as s
  limit interlock.row_limit(p_limit)
$$;

comment on function interlock.stuck_claims(integer) is
  'Claims that go back by return_jobs(): assignments that no agent has confirmed within 10 seconds, and jobs that their agent''s heartbeat does not list; not manual locks, which end by expire_locks(). Locks nothing. Run by the tick.';
