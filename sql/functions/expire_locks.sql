create function interlock.expire_locks(p_limit integer default 1000)
returns table (ended integer, lapsed integer)
language plpgsql
set search_path = ''
set enable_seqscan = off
as $$
declare
  v_now timestamptz := interlock.clock();
  v_locks text[];
  v_tokens bigint[];
  v_ids text[] := '{}';
  v_gone text[];
  v_freed text[];
  v_group record;
begin
  -- In two steps, a call each. First it is marked, under its row, which an extension takes as well: who is marked is extended no
  -- more. Releasing what merely looks past its lease would take it from an owner whose extension had been accepted meanwhile.
  select pg_catalog.array_agg(j.id), pg_catalog.array_agg(j.token)
  into v_locks, v_tokens
  from (
    select x.id::text as id, x.token
    from interlock.jobs as x
    where x.lease_until <= v_now
      and x.held_slots is not null
      and x.cancel_requested_at is not null
    order by x.lease_until
    limit least(interlock.row_limit(p_limit), 1000)
  ) as j;
  if v_locks is not null then
    v_ids := array(select r.job_id from interlock.release_held(v_locks, v_tokens) as r where r.reason is null);
    v_freed := array(
      select h.resource
      from interlock.jobs as j
      cross join lateral pg_catalog.unnest(j.held) as h (resource)
      where j.id = any (v_ids)
    );
    -- Whoever asked for its end set the end of its lease to that instant; one that lapsed was found later than that.
    for v_group in
      select pg_catalog.array_agg(j.id::text) as ids, j.cancel_reason as reason,
        case when j.lease_until < j.cancel_requested_at then 'expired' else 'cancelled' end as outcome
      from interlock.jobs as j
      where j.id = any (v_ids)
      group by 2, 3
    loop
      perform interlock.end_jobs(v_group.ids, v_group.outcome, v_now, v_group.reason, null);
    end loop;
  end if;

  v_gone := array(
    select j.id
    from interlock.jobs as j
    where j.lease_until < v_now
      and j.held is null
    order by j.lease_until
    limit interlock.row_limit(p_limit)
    for no key update skip locked
  );
  ended := pg_catalog.cardinality(v_ids);
  if v_gone <> '{}' then
    ended := ended + interlock.end_jobs(v_gone, 'expired', v_now, 'its owner asked for it no more', null);
    perform interlock.ring(array['locks/autonomous']);
  end if;

  with late as materialized (
    select j.id
    from interlock.jobs as j
    where j.lease_until < v_now
      and j.held_slots is not null
      and j.cancel_requested_at is null
    order by j.lease_until
    limit interlock.row_limit(p_limit)
    for no key update skip locked
  ),
  marked as (
    update interlock.jobs as j
    set cancel_requested_at = v_now,
        cancel_reason = case when j.status = 'running' then 'its owner did not extend it in time' else 'its owner asked for it no more' end
    from late as l
    where j.id = l.id
    returning 1
  )
  select pg_catalog.count(*) into lapsed from marked;
  perform interlock.wake_and_ring(v_freed);
  return next;
end
$$;

comment on function interlock.expire_locks(integer) is
  'Ends manual locks whose owners are gone: held ones whose lease has ended (outcome expired) or that were asked to end (cancelled), waiting ones whose owner polls no more. Returns how many it ended, and how many held ones it found past their lease (lapsed): those can be extended no more, and the next call ends them; call again at once. Run by the tick.
Locks: as release_held(), where there is something to release; the rows of locks, SKIP LOCKED; then lanes that it wakes. Must be the first of its transaction (IL010).';
