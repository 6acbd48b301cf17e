create function interlock.expire_jobs(p_limit integer default 1000) returns integer
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
    where j.expires_at <= v_now
      and j.held is null
      and j.status <> 'failed'
    order by j.expires_at
    limit interlock.row_limit(p_limit)
    for no key update skip locked
  );
  if v_ids = '{}' then
    return 0;
  end if;
  return interlock.end_jobs(v_ids, 'expired', v_now, 'it had not started when its time to live ended', null);
end
$$;

comment on function interlock.expire_jobs(integer) is
  'Ends up to p_limit jobs that were never started and whose time to live is over. Returns how many. Locks their rows, SKIP LOCKED; insert-only towards the scheduler. Run by the tick.';
