create function interlock.settle_keys(p_jobs jsonb, p_actor text) returns jsonb
language plpgsql
set search_path = ''
set enable_seqscan = off
as $$
declare
  v_many boolean := jsonb_array_length(p_jobs) > 1;
  v_known jsonb := '{}';
  v_twice record;
  v_place text;
  v_other record;
begin
  if not jsonb_path_exists(p_jobs, '$[*].unique_key') then
    return v_known;
  end if;
  perform interlock.check_isolation();
  select min(e.ordinal) - 1 as first, max(e.ordinal) - 1 as last
  into v_twice
  from jsonb_array_elements(p_jobs) with ordinality as e (job, ordinal)
  where e.job ? 'unique_key'
  group by e.job ->> 'unique_key'
  having count(*) > 1
  order by 1
  limit 1;
  if found then
    raise exception using
      errcode = 'IL005',
      message = format('jobs[%s]: unique_key is that of jobs[%s] too', v_twice.last, v_twice.first),
      column = format('jobs[%s].unique_key', v_twice.last);
  end if;
  -- Whoever asks for the same key waits here for whoever asked first, until that commits or comes to nothing. By one of 256
  -- locks, not by one for each key: a transaction must not take a thousand of the server's. Two keys that share one wait
  -- for each other and no more.
  perform pg_advisory_xact_lock(k.key)
  from (
    select distinct interlock.lock_key('unique keys ' || (hashtext(e.job ->> 'unique_key') & 255)) as key
    from jsonb_array_elements(p_jobs) as e (job)
    where e.job ? 'unique_key'
    order by 1
  ) as k;

  -- In a later statement than the locks. A job of the key that is just being claimed is waited for: it runs afterwards.
  for v_other in
    select e.ordinal, coalesce(e.job ->> 'on_duplicate', 'skip') as on_duplicate, e.job ->> 'unique_key' as unique_key, j.id, j.status, j.held
    from jsonb_array_elements(p_jobs) with ordinality as e (job, ordinal)
    join interlock.jobs as j on j.unique_key = e.job ->> 'unique_key'
    where j.unique_key is not null
      and j.status <> 'failed'
    order by j.id
    for no key update of j
  loop
    v_place := case when v_many then format('jobs[%s].', v_other.ordinal - 1) else '' end;
    if v_other.on_duplicate = 'skip' then
      v_known := v_known || jsonb_build_object(v_other.ordinal::text, jsonb_build_object('id', v_other.id, 'status', v_other.status));
    elsif v_other.on_duplicate = 'replace' and v_other.held is null then
      perform interlock.end_jobs(array[v_other.id::text], 'cancelled', interlock.clock(), 'replaced by a newer job with its unique_key', p_actor);
    elsif v_other.on_duplicate = 'replace' then
      raise exception using
        errcode = 'IL006',
        message = format('job %s with this unique_key is %s and cannot be replaced', v_other.id, v_other.status),
        column = v_place || 'unique_key',
        hint = 'Only one that waits is replaced. Cancel it, or ask again when it has ended.';
    else
      raise exception using
        errcode = 'IL006',
        message = format('job %s with this unique_key is %s', v_other.id, v_other.status),
        column = v_place || 'unique_key',
        hint = 'Ask again when it has ended, or say on_duplicate: skip or replace.';
    end if;
  end loop;
  return v_known;
end
$$;

comment on function interlock.settle_keys(jsonb, text) is
  'For jobs to be enqueued that have a unique_key: what becomes of the unfinished job that has the key already. Returns those to be skipped, {place in the array, from 1: {id, status} of the job that is there}; one that is replaced is cancelled.
Locks: the keys (256 locks share them), in the order of the locks, waiting for uncommitted enqueueings of the same key; then the rows of the jobs that have them, by id. Raises IL005 for a key that stands twice, IL006 where there is another job and on_duplicate is refuse, or replace and that one runs, IL010.';
