create function interlock.lock_resources(p_resources text[]) returns void
language plpgsql
set search_path = ''
as $$
begin
  if pg_catalog.cardinality(p_resources) > 4096 then
    raise exception using errcode = 'IL005', message = 'too many resources to lock in one transaction', column = 'job_ids', hint = 'Call it with fewer jobs.';
  end if;
  perform pg_catalog.pg_advisory_xact_lock(k.key)
  from (
    select distinct interlock.lock_key(r) as key
    from pg_catalog.unnest(p_resources) as r
    order by 1
  ) as k;
end
$$;

comment on function interlock.lock_resources(text[]) is
  'Takes the locks of these resources, waiting, in the one order in which anybody waits for them: by lock key. Whoever releases waits; whoever claims only tries.';
