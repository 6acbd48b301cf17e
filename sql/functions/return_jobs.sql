create function interlock.return_jobs(p_job_ids text[], p_tokens bigint[], p_reason text)
returns table (job_id text, accepted boolean, reason text)
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := interlock.clock();
  v_ids text[];
  v_reasons text[];
  v_freed text[];
  v_accepted text[];
  v_cancelled text[];
begin
  select pg_catalog.array_agg(r.job_id), pg_catalog.array_agg(r.reason),
    coalesce(pg_catalog.array_agg(r.job_id) filter (where r.reason is null), '{}')
  into v_ids, v_reasons, v_accepted
  from interlock.release_held(p_job_ids, p_tokens) as r;
  perform
  from interlock.jobs as j
  where j.id = any (v_accepted)
  order by j.id
  for no key update;
  select pg_catalog.array_agg(h.resource)
  into v_freed
  from interlock.jobs as j
  cross join lateral pg_catalog.unnest(j.held) as h (resource)
  where j.id = any (v_accepted);
  -- One that was asked to stop has stopped: it does not wait again.
  v_cancelled := array(select j.id from interlock.jobs as j where j.id = any (v_accepted) and j.cancel_requested_at is not null);
  perform interlock.end_jobs(v_cancelled, 'cancelled', v_now, p_reason, null);
  v_accepted := array(select u.id from pg_catalog.unnest(v_accepted) as u (id) where u.id <> all (v_cancelled));
  perform interlock.move_jobs(v_accepted, 'pending', null, 'returned', v_now, p_reason, null, null, -1);
  perform interlock.wake_and_ring(v_freed);
  perform interlock.ring(array(
    select j.queue || '/' || j.permission_level from interlock.jobs as j where j.id = any (v_accepted)
  ));
  return query
  select u.id, u.reason is null, u.reason
  from unnest(v_ids, v_reasons) as u (id, reason);
end
$$;

comment on function interlock.return_jobs(text[], bigint[], text) is
  'The holder gives jobs back unfinished: they are pending again with the seniority that they had, and the attempt does not count. One whose cancelling was requested is cancelled instead. Returns a row for each: accepted, or the reason (stale_token, job_not_found).
Locks: as release_held(); the jobs'' rows, by id; then lanes that it wakes. Must be the first of its transaction (IL010).';
