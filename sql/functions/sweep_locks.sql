create function interlock.sweep_locks(
  p_older_than_seconds double precision, p_dry_run boolean default false, p_actor text default null, p_project text default null
)
returns table (job_id text, kind text, resources text[], owner text, agent_id text, held_seconds double precision, status text)
language plpgsql
set search_path = ''
set enable_seqscan = off
as $$
declare
  v_now timestamptz := interlock.clock();
  v_seen jsonb;
  v_locks text[];
  v_tokens bigint[];
  v_ids text[] := '{}';
  v_freed text[];
begin
  if p_older_than_seconds is null or not p_older_than_seconds between 0 and 1e9 then
    raise exception using errcode = 'IL005', message = 'older_than_seconds must be a number from 0 to 1000000000', column = 'older_than_seconds';
  end if;
  -- What is reported is read before anything is released: afterwards it is gone.
  select pg_catalog.jsonb_agg(pg_catalog.to_jsonb(h)), pg_catalog.array_agg(h.id) filter (where h.is_lock), pg_catalog.array_agg(h.token) filter (where h.is_lock)
  into v_seen, v_locks, v_tokens
  from (
    select j.id::text as id, j.token, j.queue = 'locks' as is_lock, j.held, j.user_name, j.agent_id, j.assigned_at
    from interlock.jobs as j
    where j.held is not null
      and j.assigned_at <= v_now - p_older_than_seconds * interval '1 second'
      and (p_project is null or j.project = p_project or 'project:' || p_project = any (j.held))
    order by (j.queue <> 'locks'), j.assigned_at, j.id
    limit 1000
  ) as h;

  if v_locks is not null and p_dry_run is false then
    v_ids := array(select r.job_id from interlock.release_held(v_locks, v_tokens) as r where r.reason is null);
    v_freed := array(
      select h.resource
      from interlock.jobs as j
      cross join lateral pg_catalog.unnest(j.held) as h (resource)
      where j.id = any (v_ids)
    );
    perform interlock.end_jobs(v_ids, 'cancelled', v_now,
      'swept: ' || coalesce('project ' || p_project || ', ', '') || 'held longer than ' || interlock.duration_words(p_older_than_seconds * interval '1 second'), p_actor);
    perform interlock.wake_and_ring(v_freed);
  end if;
  return query
  select s.id, case when s.is_lock then 'lock' else 'job' end, pg_catalog.array_remove(s.held, interlock.own_resource(s.id)), s.user_name,
    s.agent_id, extract(epoch from v_now - s.assigned_at)::double precision,
    case when not s.is_lock then 'running' when s.id = any (v_ids) then 'released' when p_dry_run is false then 'ended' else 'held' end
  from pg_catalog.jsonb_to_recordset(coalesce(v_seen, '[]')) as s (id text, is_lock boolean, held text[], user_name text, agent_id text, assigned_at timestamptz)
  order by s.is_lock desc, s.assigned_at, s.id;
end
$$;

comment on function interlock.sweep_locks(double precision, boolean, text, text) is
  'Releases the manual locks that have been held for longer than this, up to 1,000 a call, whatever their leases say; with p_project, those of this project only: its jobs, and whoever holds project:NAME. With p_dry_run it only tells. Jobs that hold for as long are reported and left alone: their timeouts end them. Returns a row for each: kind (lock or job), what it holds, its owner or user, and released, held (not yet, on a dry run), ended (by itself meanwhile) or running.
Locks: as release_held(); then lanes that it wakes. Must be the first of its transaction (IL010). Raises IL005.';
