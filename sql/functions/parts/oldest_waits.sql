create function interlock.oldest_waits(p_count_limit integer default 10000)
returns table (route text, since timestamptz)
language plpgsql stable
set search_path = ''
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
declare
  v_live bigint;
begin
  select pg_catalog.count(*)
  into v_live
  from (select from interlock.jobs as j order by j.id limit p_count_limit + 1) as bounded;
  if v_live <= p_count_limit then
    return query
    -- A job that is tried again waits since it came back, not since it first came.
    select j.queue || '/' || j.permission_level, pg_catalog.min(greatest(j.queued_at, j.assigned_at, j.run_at))
    from (
      select l.queue, l.permission_level, l.queued_at, l.assigned_at, l.run_at, l.status
      from interlock.jobs as l
      order by l.id
      limit p_count_limit
    ) as j
    where j.status = 'pending'
    group by 1;
    return;
  end if;
  -- Of many, who is first in a line is among the oldest of it.
  return query
  select l.route, pg_catalog.min(l.waiting_since)
  from interlock.waiting_lines() as l
  group by l.route;
end
$$;

comment on function interlock.oldest_waits(integer) is
  'By route, since when the oldest pending job waits. Up to so many live jobs are looked at one by one; of more, the first of each line that lanes stand in (at most 1,000 lines of the parked, and 1,000 routes), so that its cost does not grow with what waits. Locks nothing.';
