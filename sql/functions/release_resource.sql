create function interlock.release_resource(p_resource text, p_job_id text default null, p_reason text default null, p_actor text default null)
returns table (job_id text, kind text, status text)
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := interlock.clock();
  v_locks text[];
  v_tokens bigint[];
  v_jobs text[];
  v_id text;
  v_freed text[] := '{}';
  v_ids text[] := '{}';
begin
  if interlock.is_resource_name(p_resource) is not true then
    raise exception using errcode = 'IL005', message = pg_catalog.format('%s is not a resource: it takes kind:value', coalesce(p_resource, 'null')), column = 'resource';
  end if;
  select
    coalesce(pg_catalog.array_agg(j.id::text order by j.id) filter (where j.queue = 'locks'), '{}'),
    coalesce(pg_catalog.array_agg(j.token order by j.id) filter (where j.queue = 'locks'), '{}'),
    coalesce(pg_catalog.array_agg(j.id::text order by j.id) filter (where j.queue <> 'locks'), '{}')
  into v_locks, v_tokens, v_jobs
  from interlock.job_queue_state as s
  join interlock.jobs as j on j.id = s.active_job_id
  where s.resource = p_resource
    and (p_job_id is null or j.id = p_job_id);

  if v_locks <> '{}' then
    -- What ended between the look and the locks is released as well.
    select
      coalesce(pg_catalog.array_agg(r.job_id) filter (where r.reason is null), '{}')
    into v_ids
    from interlock.release_held(v_locks, v_tokens) as r;
    v_freed := array(
      select h.resource
      from interlock.jobs as j
      cross join lateral pg_catalog.unnest(j.held) as h (resource)
      where j.id = any (v_ids)
    );
    perform interlock.end_jobs(v_ids, 'cancelled', v_now, coalesce(p_reason, p_resource || ' was released by force'), p_actor);
  end if;
  return query select u.id, 'lock', 'released' from pg_catalog.unnest(v_locks) as u (id);
  foreach v_id in array v_jobs loop
    begin
      return query
      select v_id, 'job', c.status
      from interlock.cancel_job(v_id, coalesce(p_reason, p_resource || ' was released by force'), p_actor) as c;
    exception
      -- It ended by itself meanwhile, and with it what it held.
      when sqlstate 'IL003' then
        return query select v_id, 'job', 'released';
    end;
  end loop;
  if v_locks = '{}' and v_jobs = '{}' then
    raise exception using
      errcode = 'IL009',
      message = pg_catalog.format(case when p_job_id is null then '%s is not held' else '%s is not held by %s' end, p_resource, p_job_id),
      column = case when p_job_id is null then 'resource' else 'job_id' end;
  end if;
  perform interlock.wake_and_ring(v_freed);
end
$$;

comment on function interlock.release_resource(text, text, text, text) is
  'Takes a resource from all who hold it, or from one of them alone (p_job_id). A manual lock is released, with all that it holds. A running job is asked to stop first: its resources are free when its process is confirmed gone, not before. Returns a row for each holder: its kind (lock or job), and released, cancelling, or cancelled for what was returned to wait meanwhile.
Locks: as release_held(), for the locks; the jobs'' rows, by id; then lanes that it wakes. Must be the first of its transaction (IL010). Raises IL005, IL009 not_held.';
