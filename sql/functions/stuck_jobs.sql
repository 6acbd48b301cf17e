create function interlock.stuck_jobs()
returns table (job_id text, status text, agent_id text, trouble text, since timestamptz)
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := interlock.clock();
begin
  return query
  select s.job_id::text, s.status::text, s.agent_id::text, s.trouble, s.since
  from (
    (
      select 1, a.job_id, a.status, a.agent_id, a.assigned_at, 'its start was not confirmed: the coordinator gives it back after 10 s'
      from interlock.active_jobs as a
      where a.status = 'assigned'
        and a.agent_id <> interlock.locks_agent()
        and a.assigned_at < v_now - interval '15 seconds'
      limit 100
    )
    union all
    (
      select 2, a.job_id, a.status, a.agent_id, a.must_end_at, 'it runs beyond its timeout: its agent should have ended it'
      from interlock.active_jobs as a
      where a.must_end_at < v_now - interval '15 seconds'
      limit 100
    )
    union all
    (
      select 3, a.job_id, a.status, a.agent_id, a.cancel_requested_at, 'it was asked to stop and goes on: its agent should have ended it'
      from interlock.active_jobs as a
      where a.cancel_requested_at < v_now - interval '30 seconds'
      limit 100
    )
    union all
    (
      select 4, a.job_id, a.status, a.agent_id, g.lease_until, 'its agent''s lease is over: the coordinator sweeps it (by hand: repair/sweep_agent.sql)'
      from interlock.agent_stats as g
      join interlock.active_jobs as a on a.agent_id = g.id
      where g.state <> 'gone'
        and g.lease_until < v_now - interval '5 seconds'
      limit 100
    )
    union all
    (
      select 5, a.job_id, a.status, a.agent_id, a.assigned_at, 'its agent is gone: this cannot be (see inspect/violations.sql)'
      from interlock.active_jobs as a
      left join interlock.agent_stats as g on g.id = a.agent_id
      where g.id is null or g.state = 'gone'
      limit 100
    )
    union all
    (
      select 6, j.id, j.status, null, j.run_at, 'it is due and still scheduled: no coordinator runs'
      from interlock.jobs as j
      where j.status = 'scheduled'
        and j.run_at < v_now - interval '15 seconds'
      order by j.run_at
      limit 100
    )
    union all
    (
      select 7, j.id, j.status, null, j.expires_at, 'it should have expired: no coordinator runs'
      from interlock.jobs as j
      where j.expires_at < v_now - interval '60 seconds'
        and j.held is null
        and j.status <> 'failed'
      order by j.expires_at
      limit 100
    )
    union all
    (
      -- The heads of lines that nothing blocks. A full house is no trouble; an idle agent beside them is.
      select 8, h.id, 'pending', null, h.queued_at,
        case
          when q.is_paused then 'its queue is paused'
          when l.route <> all (interlock.served_routes(v_now)) then 'no live agent serves ' || l.route
          else 'an agent has room and nobody examines it: no coordinator runs'
        end
      from (
        select x.id, x.route, x.waiting_since
        from interlock.job_lanes as x
        where x.rank is not null
          and x.blocked_on is null
        order by x.route, x.rank, x.id
        limit 100
      ) as l
      join interlock.queues as q on q.name = split_part(l.route, '/', 1)
      cross join lateral (
        select j.id, j.queued_at
        from interlock.jobs as j
        where j.lane_id = l.id
          and j.status = 'pending'
        order by j.seniority, j.id
        limit 1
      ) as h
      where l.waiting_since < v_now - interval '15 seconds'
        and (q.is_paused
          or l.route <> all (interlock.served_routes(v_now))
          or exists (select from interlock.agents_with_room(l.route)))
    )
  ) as s (ord, job_id, status, agent_id, since, trouble)
  order by s.ord, s.since, s.job_id;
end
$$;

comment on function interlock.stuck_jobs() is
  'What should have moved on by itself within seconds and has not, and whose task that was; at most 100 of a kind. Empty while a coordinator and the agents live. Reads only: for the doctor and for sql/inspect.';
