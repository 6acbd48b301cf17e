create function interlock.set_agent_policy(p_settings jsonb, p_actor text default null) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := interlock.clock();
  v_policy interlock.agent_policy;
  v_key text;
  v_agent record;
begin
  if pg_catalog.jsonb_typeof(p_settings) is distinct from 'object' then
    raise exception using errcode = 'IL005', message = 'settings must be an object', column = 'settings';
  end if;
  select s.key
  into v_key
  from pg_catalog.jsonb_each(p_settings) as s
  where s.key not in ('cpu_weight', 'memory_weight', 'queue_weight', 'moderate_from', 'high_from', 'critical_from', 'max_utilisation');
  if found then
    raise exception using errcode = 'IL005', message = pg_catalog.format('%s is not a setting of agents', v_key), column = v_key;
  end if;
  select s.key
  into v_key
  from pg_catalog.jsonb_each(p_settings) as s
  where not case when pg_catalog.jsonb_typeof(s.value) = 'number'
    then (s.value #>> '{}')::numeric between case when s.key = 'max_utilisation' then 1 else 0 end and case when s.key like '%weight' then 1000 else 100 end
    else false end;
  if found then
    raise exception using errcode = 'IL005', column = v_key, message = pg_catalog.format('%s must be a number from %s to %s', v_key,
      case when v_key = 'max_utilisation' then 1 else 0 end, case when v_key like '%weight' then 1000 else 100 end);
  end if;

  insert into interlock.agent_policy (is_only) values (true) on conflict (is_only) do nothing;
  select p.* into v_policy from interlock.agent_policy as p for no key update;
  v_policy := pg_catalog.jsonb_populate_record(v_policy, p_settings);
  if v_policy.cpu_weight + v_policy.memory_weight + v_policy.queue_weight = 0 then
    raise exception using errcode = 'IL005', message = 'weights must not all be 0', column = 'weights';
  elsif not (v_policy.moderate_from <= v_policy.high_from and v_policy.high_from <= v_policy.critical_from) then
    raise exception using errcode = 'IL005', message = 'levels must ascend: moderate_from, high_from, critical_from', column = 'levels';
  end if;
  update interlock.agent_policy as p
  set cpu_weight = v_policy.cpu_weight,
      memory_weight = v_policy.memory_weight,
      queue_weight = v_policy.queue_weight,
      moderate_from = v_policy.moderate_from,
      high_from = v_policy.high_from,
      critical_from = v_policy.critical_from,
      max_utilisation = v_policy.max_utilisation,
      updated_at = v_now;
  -- A ceiling that is lowered is to hold for the next claim, not from the next heartbeat on.
  for v_agent in
    select a.id, a.cpu_percent, a.memory_percent, a.queue_depth, a.active_jobs, a.slots
    from interlock.agent_stats as a
    where a.state <> 'gone'
      and a.id <> interlock.locks_agent()
      and a.cpu_percent is not null
    order by a.id
    for no key update
  loop
    update interlock.agent_stats as a
    set load_score = l.score,
        load_level = l.level,
        base_score = l.base,
        slots_open = l.slots_open
    from interlock.agent_load(v_agent.cpu_percent, coalesce(v_agent.memory_percent, 0),
      coalesce(v_agent.queue_depth, v_agent.active_jobs), v_agent.active_jobs, v_agent.slots) as l
    where a.id = v_agent.id;
  end loop;
  insert into interlock.job_queue_log (created_at, event_type, actor, details)
  values (v_now, 'agent_policy_set', p_actor, p_settings);
end
$$;

comment on function interlock.set_agent_policy(jsonb, text) is
  'Changes how the load of agents is judged, by the columns of agent_policy: {cpu_weight, memory_weight, queue_weight (in proportion to each other), moderate_from, high_from, critical_from, max_utilisation}. What is not named stays. All agents that live are judged anew at once. Locks the policy''s row; the agents'' rows, by id. Raises IL005.';
