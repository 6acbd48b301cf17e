create function interlock.conflict_reason(p_resource text)
returns table (reason text, holder_id text)
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  select
    case pg_catalog.split_part(p_resource, ':', 1)
      when 'user' then 'User conflict: '
      when 'model' then 'Model conflict: '
      when 'limit' then 'Limit reached: '
      when 'queue' then 'Limit reached: '
      when 'task' then 'Limit reached: '
      when 'rate' then 'Start rate reached: '
      else 'Conflict: '
    end
    || case
      when pg_catalog.split_part(p_resource, ':', 1) in ('user', 'model', 'rate') then pg_catalog.substr(p_resource, pg_catalog.strpos(p_resource, ':') + 1)
      else p_resource
    end
    || case
      when m.is_paused then ' is paused'
      when p_resource like 'rate:%' and s.taken_until is not null then pg_catalog.format(', %s a minute, the next in %s', m.capacity, interlock.duration_words(s.taken_until - interlock.clock()))
      when s.active_job_id is not null then ' in use by ' || case when s.active_job_type in ('workflow', 'lock') then s.active_job_type else 'normal' end || ' job ' || s.active_job_id
      when s.reserved_lane_id is not null then ' reserved for a more senior job'
      when m.capacity = 0 then ' is switched off'
      when exists (select from interlock.job_lanes as o where o.reserving and o.blocked_on = p_resource)
        or exists (select from interlock.job_lanes as o where o.reserving and o.blocked_on is null and interlock.lane_needs(o.route, o.task, o.resources, p_resource))
        then ' is wanted by a more senior job'
      else ' is free, and its line about to be examined'
    end,
    s.active_job_id::text
  from interlock.limit_of(p_resource) as m
  left join lateral (
    select q.active_job_id, q.active_job_type, q.reserved_lane_id, q.taken_until
    from interlock.job_queue_state as q
    where q.resource = p_resource
      and interlock.is_taken(q.active_job_id, q.reserved_lane_id, q.taken_until, interlock.clock())
    order by (q.active_job_id is null), q.started_at, q.slot
    limit 1
  ) as s on true;
end
$$;

comment on function interlock.conflict_reason(text) is
  'Why a resource cannot be had now, in words, and the job that holds it (the one that has held it longest, where several may).';
