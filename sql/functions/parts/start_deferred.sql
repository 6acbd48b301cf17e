create function interlock.start_deferred(p_job_ids text[], p_now timestamptz) returns void
language plpgsql
set search_path = ''
set enable_seqscan = off
as $$
declare
  v_group record;
begin
  for v_group in
    select array_agg(j.id::text order by j.id) as ids,
      case when not w.starts then 'paused' when j.run_at > p_now then 'scheduled' else 'pending' end as status,
      case when j.run_at > p_now then j.run_at end as run_at
    from interlock.jobs as j
    cross join lateral (
      select d.starts
      from interlock.job_dependencies as d
      where d.job_id = j.id
      limit 1
    ) as w
    where j.id = any (p_job_ids)
    group by 2, 3
  loop
    -- Its time to live was not running: it could not have started.
    update interlock.jobs as j
    set expires_at = case when w.ttl > 0 then greatest(p_now, coalesce(v_group.run_at, p_now)) + w.ttl * interval '1 second' end
    from (
      select k.id, coalesce(d.ttl_seconds, q.ttl_seconds) as ttl
      from interlock.jobs as k
      join interlock.queues as q on q.name = k.queue
      cross join lateral (
        select x.ttl_seconds
        from interlock.job_dependencies as x
        where x.job_id = k.id
        limit 1
      ) as d
      where k.id = any (v_group.ids)
    ) as w
    where j.id = w.id;
    perform interlock.move_jobs(v_group.ids, v_group.status, v_group.run_at, 'ready', p_now);
    if v_group.status = 'pending' then
      perform interlock.ring(array(
        select distinct j.queue || '/' || j.permission_level from interlock.jobs as j where j.id = any (v_group.ids)
      ));
    end if;
  end loop;
end
$$;

comment on function interlock.start_deferred(text[], timestamptz) is
  'Lets deferred jobs go whose parents have all ended: pending, scheduled where their run_at lies ahead, or paused where they were added without starting. Their time to live counts from now. Called with their rows locked; insert-only towards the scheduler.';
