create function interlock.claim_lane(p_agent_id text, p_lane_id uuid)
returns table (jobs jsonb, contended uuid[], more boolean)
language plpgsql
set search_path = ''
set enable_seqscan = off
as $$
declare
  v_now timestamptz := interlock.clock();
  v_agent record;
  v_needed text[];
  v_exam record;
begin
  jobs := '[]';
  contended := '{}';
  more := false;
  perform interlock.lock_limits();
  v_needed := array(
    select d.resource
    from interlock.job_lanes as l
    cross join lateral interlock.lane_demand(l.route, l.task, l.resources) as d
    where l.id = p_lane_id
  );
  perform interlock.lock_resources(v_needed);
  v_agent := interlock.lock_agent(p_agent_id, v_now);
  perform
  from interlock.job_lanes as l
  join interlock.queues as q on q.name = split_part(l.route, '/', 1)
  where l.id = p_lane_id
    and l.rank is not null
    and l.blocked_on is null
    and l.route = any (v_agent.routes)
    and not q.is_paused
  for no key update of l;
  if not found or v_agent.state <> 'active' or v_agent.active_jobs >= v_agent.slots_open then
    return next;
    return;
  end if;

  select e.assignments, e.contended, e.woken_routes
  into v_exam
  from interlock.examine_lane(p_agent_id, p_lane_id, v_now) as e;
  jobs := v_exam.assignments;
  if v_exam.contended then
    contended := array[p_lane_id];
  end if;
  update interlock.agent_stats as a
  set active_jobs = a.active_jobs + jsonb_array_length(jobs)
  where a.id = p_agent_id
    and jobs <> '[]';
  more := exists (
    select
    from interlock.job_lanes as l
    where l.id = p_lane_id
      and l.rank is not null
      and l.blocked_on is null
      and not v_exam.contended
  ) or cardinality(v_exam.woken_routes) > 0;
  perform interlock.ring(v_exam.woken_routes);
  return next;
end
$$;

comment on function interlock.claim_lane(text, uuid) is
  'The lone examination: what a caller does with a lane that claim_jobs() reported contended three times running, so that a lane of many busy resources cannot lose the race for their locks for ever. Returns what claim_jobs() returns.
Locks: limits, shared; all the lane''s resources, waiting, by lock key; the agent''s row; the lane''s row. Must be alone in its transaction (IL010). Raises IL004.';
