create function interlock.release_held(p_job_ids text[], p_tokens bigint[])
returns table (job_id text, token bigint, reason text, held text[])
language plpgsql
set search_path = ''
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
set plan_cache_mode = force_generic_plan
as $$
declare
  v_locked text[];
  v_ids text[];
  v_agents text[];
  v_slots integer;
  v_freed integer;
begin
  if cardinality(p_job_ids) is distinct from cardinality(p_tokens) or cardinality(p_job_ids) > 1000
    or array_position(p_job_ids, null) is not null then
    raise exception using errcode = 'IL005', message = 'there must be a token for each job, and at most 1000 of them', column = 'tokens';
  end if;
  perform interlock.lock_limits();
  select coalesce(array_agg(distinct x.resource) filter (where x.resource is not null), '{}'), array_agg(distinct x.agent_id)
  into v_locked, v_agents
  from (
    select h.resource, j.agent_id
    from unnest(p_job_ids, p_tokens) as u (id, token)
    -- By id alone, and judged outside: beside "held is not null" a plan has read the whole index of what is held for each.
    cross join lateral (select k.token, k.held, k.agent_id from interlock.jobs as k where k.id = u.id limit 1) as j
    left join lateral unnest(j.held) as h (resource) on true
    where j.token = u.token
      and j.held is not null
  ) as x;
  perform interlock.lock_resources(v_locked);
  -- Whose they are comes next in the order of locks. Every verb that changes who holds what locks the holder's agent first,
  -- so this settles the tokens too, of jobs that hold no resource as well, and two verbs on one batch queue here and not
  -- among its rows.
  perform
  from (select u.id from unnest(v_agents) as u (id) order by u.id) as u
  cross join lateral (
    select
    from interlock.agent_stats as x
    where x.id >= u.id
      and x.id <= u.id
    order by x.id, x.era desc
    limit 1
    for no key update
  ) as a;

  -- In a later statement than the locks: is the token still the one, and what does the job hold?
  with held as materialized (
    select distinct on (u.id) u.id, j.held, j.held_slots, j.agent_id
    from unnest(p_job_ids, p_tokens) as u (id, token)
    cross join lateral (select k.token, k.held, k.held_slots, k.agent_id from interlock.jobs as k where k.id = u.id limit 1) as j
    where j.token = u.token
      and j.held <@ v_locked
    order by u.id
  ),
  freed as (
    update interlock.job_queue_state as s
    set active_job_id = null,
        active_job_type = null,
        active_models = null,
        era = case when random() < 0.03 then clock_timestamp() else s.era end
    from (
      select p.place, u.id
      from held as u
      cross join lateral unnest(u.held, u.held_slots) as h (resource, slot)
      cross join lateral (
        select x.ctid as place
        from interlock.job_queue_state as x
        where x.resource = h.resource
          and x.slot >= h.slot
        order by x.resource, x.slot, x.era desc
        limit 1
      ) as p
    ) as f
    where s.ctid = f.place
      and s.active_job_id = f.id
    returning 1
  )
  select coalesce(array_agg(h.id), '{}'), coalesce(sum(cardinality(h.held)), 0), coalesce(array_agg(h.agent_id), '{}'),
    (select count(*) from freed)
  into v_ids, v_slots, v_agents, v_freed
  from held as h;
  -- Under one token it grows only where a job takes again what it gave back for the time of a question. Asked in two steps:
  -- the first is no statement of its own, and nobody else pays for more.
  if cardinality(v_ids) < cardinality(p_job_ids) then
    if exists (
      select
      from unnest(p_job_ids, p_tokens) as u (id, token)
      join interlock.jobs as j on j.id = u.id
      where j.token = u.token
        and not j.held <@ v_locked
    ) then
      raise exception using errcode = '40001', message = 'what a job holds has grown meanwhile: try again';
    end if;
  end if;
  if v_freed <> v_slots then
    raise exception using
      errcode = 'XX000',
      message = format('interlock: %s of %s slots could be freed', v_freed, v_slots),
      hint = 'This is a defect: nothing was changed. Look at interlock.violations.';
  end if;
  update interlock.agent_stats as a
  set active_jobs = greatest(a.active_jobs - g.jobs, 0),
      era = case when random() < 0.05 then clock_timestamp() else a.era end
  from (
    select u.id, count(*)::integer as jobs
    from unnest(v_agents) as u (id)
    group by u.id
  ) as g
  cross join lateral (
    select x.ctid as place
    from interlock.agent_stats as x
    where x.id >= g.id
      and x.id <= g.id
    order by x.id, x.era desc
    limit 1
  ) as p
  where a.ctid = p.place;

  return query
  select
    u.id,
    u.token,
    case
      when j.token = u.token and u.id = any (v_ids) then case when u.nth > 1 then 'stale_token' end
      else interlock.holder_refusal(u.id)
    end,
    j.held
  from (
    select x.id, x.token, x.ord, row_number() over (partition by x.id, x.token) as nth
    from unnest(p_job_ids, p_tokens) with ordinality as x (id, token, ord)
  ) as u
  left join interlock.jobs as j on j.id = u.id
  order by u.ord;
end
$$;

comment on function interlock.release_held(text[], bigint[]) is
  'Frees what these claims hold, where the token is still the one; the verb that calls it moves the jobs on and then wakes what was freed. Returns, in the order asked, the reason why a claim was refused (stale_token, job_not_found; null: freed) and what the job held.
Locks: limits, shared; the union of what the jobs hold, waiting, by lock key; their agents'' rows, by id. Must be the first of its transaction (IL010). Raises 40001 where a job came to hold more between the look and the locks: try again.';
