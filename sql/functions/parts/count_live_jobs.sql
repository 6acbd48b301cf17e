create function interlock.count_live_jobs(p_count_limit integer)
returns table (is_estimated boolean, counts jsonb, pending jsonb, oldest_queued_at timestamptz)
language plpgsql stable
set search_path = ''
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
declare
  v_live bigint;
  v_sample_percent double precision;
  v_scale double precision;
begin
  -- Counting a million waiting jobs takes almost a second, and somebody asks every other second. Up to the limit they
  -- are counted; beyond it what is few is counted by its own index, and the rest is estimated from a sample of blocks,
  -- always the same ones, so that the figure does not flicker.
  select pg_catalog.count(*) > p_count_limit
  into is_estimated
  from (select from interlock.jobs as j order by j.id limit p_count_limit + 1) as bounded;

  if not is_estimated then
    with counted as materialized (
      select j.queue, j.status, interlock.priority_name(j.priority) as priority, pg_catalog.count(*) as n, pg_catalog.min(j.queued_at) as oldest
      from (select l.queue, l.status, l.priority, l.queued_at from interlock.jobs as l order by l.id limit p_count_limit) as j
      group by 1, 2, 3
    )
    select
      (select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('queue', s.queue, 'status', s.status, 'count', s.n))
       from (select c.queue, c.status, pg_catalog.sum(c.n) as n from counted as c group by 1, 2) as s),
      (select pg_catalog.jsonb_object_agg(s.priority, s.n)
       from (select c.priority, pg_catalog.sum(c.n) as n from counted as c where c.status = 'pending' group by 1) as s),
      (select pg_catalog.min(c.oldest) from counted as c where c.status = 'pending')
    into counts, pending, oldest_queued_at;
  else
    v_sample_percent := least(100, 100 * 500 / greatest(1, pg_catalog.pg_relation_size('interlock.jobs')
      / pg_catalog.current_setting('block_size')::double precision));
    -- How many rows a sample of blocks holds is luck; how they divide is not. So the total comes from the server's own
    -- statistics, which are a second old at most, unless it has just lost them in a crash.
    v_live := pg_catalog.pg_stat_get_live_tuples('interlock.jobs'::regclass);
    select case when v_live > p_count_limit then v_live / greatest(1, pg_catalog.count(*))::double precision else 100 / v_sample_percent end
    into v_scale
    from interlock.jobs as j tablesample system (v_sample_percent) repeatable (7);

    with sampled as materialized (
      select j.queue, j.status, interlock.priority_name(j.priority) as priority, pg_catalog.count(*) as n, pg_catalog.min(j.queued_at) as oldest
      from interlock.jobs as j tablesample system (v_sample_percent) repeatable (7)
      group by 1, 2, 3
    ),
    few as materialized (
      select b.queue, b.status
      from (
        (select j.queue, j.status from interlock.jobs as j where j.held is not null limit p_count_limit)
        union all
        (select j.queue, j.status from interlock.jobs as j where j.status = 'scheduled' limit p_count_limit)
        union all
        (select j.queue, j.status from interlock.jobs as j where j.status = 'failed' limit p_count_limit)
      ) as b
    ),
    counted_few as materialized (
      select f.queue, f.status, pg_catalog.count(*) as n, pg_catalog.sum(pg_catalog.count(*)) over (partition by f.status) as of_status
      from few as f
      group by 1, 2
    ),
    counted as materialized (
      select f.queue, f.status, f.n
      from counted_few as f
      where f.of_status < p_count_limit
      union all
      select s.queue, s.status, pg_catalog.round(pg_catalog.sum(s.n)::double precision * v_scale)
      from sampled as s
      where s.status in ('pending', 'paused', 'deferred')
        or s.status in (select f.status from counted_few as f where f.of_status >= p_count_limit)
      group by 1, 2
    )
    select
      (select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('queue', c.queue, 'status', c.status, 'count', c.n)) from counted as c),
      (select pg_catalog.jsonb_object_agg(s.priority, s.n)
       from (select p.priority, pg_catalog.round(pg_catalog.sum(p.n)::double precision * v_scale) as n
             from sampled as p where p.status = 'pending' group by 1) as s),
      (select pg_catalog.min(s.oldest) from sampled as s where s.status = 'pending')
    into counts, pending, oldest_queued_at;
  end if;
  counts := coalesce(counts, '[]');
  pending := coalesce(pending, '{}');
  return next;
end
$$;

comment on function interlock.count_live_jobs(integer) is
  'One row: how many live jobs there are by queue and status, how many pending ones by the nearest name of their priority, and since when the oldest of those waits. Up to so many jobs are counted, more are estimated (is_estimated), so that its cost does not grow with what waits: of few states by their own indexes, of the others from a sample of blocks. Locks nothing.';
