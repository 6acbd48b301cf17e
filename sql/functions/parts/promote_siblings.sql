create function interlock.promote_siblings(p_routes text[], p_user_keys text[], p_resources text[]) returns void
language plpgsql
set search_path = ''
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
as $$
declare
  v_lanes uuid[];
  v_lines text[];
  v_ranks timestamptz[];
  v_promoted integer;
begin
  loop
    select array_agg(p.id), array_agg(p.line), array_agg(p.rank)
    into v_lanes, v_lines, v_ranks
    from (
      select n.id, w.line, interlock.lane_rank(q.scheduling, n.seniority, n.waiting_since, u.last_started_at, n.turn_at) as rank
      from (
        select distinct x.route, x.user_key, x.resource, interlock.sibling_line(x.resource, x.user_key) as line
        from unnest(p_routes, p_user_keys, p_resources) as x (route, user_key, resource)
      ) as w
      cross join lateral (
        select l.id, l.seniority, l.waiting_since, l.turn_at
        from interlock.job_lanes as l
        where l.blocked_on = w.line
          and l.route = w.route
        order by l.rank, l.id
        limit 1
      ) as n
      join interlock.queues as q on q.name = split_part(w.route, '/', 1)
      left join lateral (
        select x.last_started_at
        from interlock.lane_users as x
        where x.queue = q.name and x.user_key = w.user_key
        limit 1
      ) as u on true
      where not exists (select from interlock.first_of_user(w.resource, w.user_key, w.route))
      order by n.id
    ) as p;
    exit when v_lanes is null;

    -- Waits for the row if an absorber or the tick has it. If it was changed meanwhile it does not match any more: choose again.
    update interlock.job_lanes as l
    set blocked_on = interlock.obstacle_of(l.blocked_on),
        rank = p.rank
    from unnest(v_lanes, v_lines, v_ranks) as p (id, line, rank)
    where l.id = p.id
      and l.blocked_on = p.line;
    get diagnostics v_promoted = row_count;
    exit when v_promoted = cardinality(v_lanes);
  end loop;
end
$$;

comment on function interlock.promote_siblings(text[], text[], text[]) is
  'For each route, user and resource: where none of the user''s lanes stands in the resource''s line any more, the most senior of those behind steps into it, with the rank that it has now. Called when a lane was examined and does not wait for the resource (any more), under the resource''s lock, and before the resource is woken. Locks the lanes that it moves, waiting for absorbers, the tick, and a claimer that came to the row before it, none of whom waits for it.';
