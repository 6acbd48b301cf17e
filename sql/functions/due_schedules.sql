create function interlock.due_schedules(p_limit integer default 100)
returns table (name text, cron text, time_zone text, missed text, missed_limit integer, next_at timestamptz, revision bigint, looked_at timestamptz)
language plpgsql
set search_path = ''
set enable_seqscan = off
as $$
declare
  v_now timestamptz := interlock.clock();
begin
  return query
  select s.name, s.cron, s.time_zone, s.missed, s.missed_limit, nullif(s.next_at, '-infinity'), s.revision, v_now
  from interlock.schedules as s
  where not s.is_paused
    and s.next_at <= v_now
  order by s.next_at, s.name
  limit interlock.row_limit(p_limit);
end
$$;

comment on function interlock.due_schedules(integer) is
  'Up to p_limit schedules whose next slot has come, and those whose next slot (null) is not computed yet, with the revision that fire_schedule() is to be called with and the time of the look. An unlocked look: any number of coordinators may see the same, and one of them gets it. Run by the tick.';
