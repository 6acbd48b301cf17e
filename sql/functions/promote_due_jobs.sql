create function interlock.promote_due_jobs(p_limit integer default 1000) returns integer
language plpgsql
set search_path = ''
set enable_seqscan = off
as $$
declare
  v_now timestamptz := interlock.clock();
  v_ids text[];
begin
  v_ids := array(
    select j.id
    from interlock.jobs as j
    where j.status = 'scheduled'
      and j.run_at <= v_now
    order by j.run_at
    limit interlock.row_limit(p_limit)
    for no key update skip locked
  );
  if v_ids = '{}' then
    return 0;
  end if;
  perform interlock.move_jobs(v_ids, 'pending', null, 'due', v_now);
  perform interlock.ring(array(select distinct j.queue || '/' || j.permission_level from interlock.jobs as j where j.id = any (v_ids)));
  return pg_catalog.cardinality(v_ids);
end
$$;

comment on function interlock.promote_due_jobs(integer) is
  'Makes up to p_limit scheduled jobs whose time has come pending. Returns how many. Locks their rows, SKIP LOCKED; insert-only towards the scheduler. Run by the tick.';
