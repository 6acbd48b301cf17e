create function interlock.release_lock(p_lock_id text, p_token bigint default null, p_reason text default null, p_actor text default null)
returns table (status text)
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := interlock.clock();
  v_lock record;
  v_outcome text;
  v_release record;
begin
  select j.queue, j.token, j.held
  into v_lock
  from interlock.jobs as j
  where j.id = p_lock_id;
  if not found then
    if p_token is not null then
      perform interlock.refuse_holder(p_lock_id, p_token, interlock.holder_refusal(p_lock_id));
    end if;
    select t.outcome
    into v_outcome
    from interlock.task_history as t
    where t.job_id = p_lock_id
    order by t.finished_at desc
    limit 1;
    raise exception using
      errcode = case when v_outcome is null then 'IL001' else 'IL009' end,
      message = pg_catalog.format(case when v_outcome is null then 'lock %s does not exist' else 'lock %s has ended: it is %s' end, p_lock_id, v_outcome),
      column = 'lock_id';
  elsif v_lock.queue <> 'locks' then
    raise exception using
      errcode = 'IL009',
      message = pg_catalog.format('job %s is no manual lock', p_lock_id),
      column = 'lock_id',
      hint = 'A job gives back what it holds when it ends: cancel it, or release the resource.';
  end if;

  if v_lock.held is null then
    if p_token is not null then
      perform interlock.refuse_holder(p_lock_id, p_token, 'stale_token');
    end if;
    perform
    from interlock.jobs as j
    where j.id = p_lock_id
      and j.held is null
    for no key update;
    if not found then
      raise exception using errcode = '40001', message = pg_catalog.format('lock %s was granted meanwhile: try again', p_lock_id);
    end if;
    perform interlock.end_jobs(array[p_lock_id], 'cancelled', v_now, coalesce(p_reason, 'given up before it was granted'), p_actor);
    -- Its lane may be next in line and keep others off, until it is seen to be empty.
    perform interlock.ring(array['locks/autonomous']);
    status := 'withdrawn';
    return next;
    return;
  end if;

  select r.reason, r.held
  into v_release
  from interlock.release_held(array[p_lock_id], array[coalesce(p_token, v_lock.token)]) as r;
  if v_release.reason is not null and p_token is null then
    raise exception using errcode = '40001', message = pg_catalog.format('lock %s has changed hands meanwhile: try again', p_lock_id);
  end if;
  perform interlock.refuse_holder(p_lock_id, p_token, v_release.reason);
  perform interlock.end_jobs(array[p_lock_id], case when p_token is null then 'cancelled' else 'completed' end, v_now,
    coalesce(p_reason, case when p_token is null then 'released by force' end), p_actor);
  perform interlock.wake_and_ring(v_release.held);
  status := 'released';
  return next;
end
$$;

comment on function interlock.release_lock(text, bigint, text, text) is
  'Ends a manual lock. With its token it is the holder that releases it (outcome completed). Without one it is anybody who may: a held one is taken from its owner (cancelled: the fences keep a late writer out), a waiting one leaves the line. Returns released or withdrawn.
Locks: as release_held(); then lanes that it wakes; a waiting one''s row only. Must be the first of its transaction (IL010). Raises IL001, IL002 stale_token, IL009 where it is no lock or has ended, 40001 where it was granted between the look and the locks: try again.';
