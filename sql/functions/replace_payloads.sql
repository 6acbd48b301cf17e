create function interlock.replace_payloads(p_job_ids text[], p_old jsonb[], p_new jsonb[]) returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_replaced integer;
  v_kept integer;
begin
  if p_job_ids is null
    or exists (select from unnest(p_job_ids) as i (id) where i.id is null)
    or pg_catalog.cardinality(p_job_ids) > 1000 then
    raise exception using errcode = 'IL005', message = 'job_ids must be at most 1000 ids', column = 'job_ids';
  end if;
  if p_old is null or pg_catalog.cardinality(p_old) <> pg_catalog.cardinality(p_job_ids) then
    raise exception using errcode = 'IL005', message = 'old must have a payload for each job', column = 'old';
  end if;
  if p_new is null
    or pg_catalog.cardinality(p_new) <> pg_catalog.cardinality(p_job_ids)
    or exists (select from unnest(p_new) as n (payload) where n.payload is null or not (jsonb_typeof(n.payload) = 'object' and n.payload ? '$encrypted')) then
    raise exception using errcode = 'IL005', message = 'new must have an encrypted payload for each job', column = 'new';
  end if;

  with given as (
    select g.job_id, g.old, g.new
    from unnest(p_job_ids, p_old, p_new) as g (job_id, old, new)
    where g.old ? '$encrypted'
  ), locked as (
    select j.id, g.old, g.new
    from given as g
    join interlock.jobs as j on j.id = g.job_id
    where j.payload::jsonb = g.old
    order by j.id
    for no key update of j skip locked
  )
  update interlock.jobs as j
  set payload = l.new
  from locked as l
  where j.id = l.id;
  get diagnostics v_replaced = row_count;

  with given as (
    select g.job_id, g.old, g.new
    from unnest(p_job_ids, p_old, p_new) as g (job_id, old, new)
    where g.old ? '$encrypted'
  )
  update interlock.job_results as r
  set payload = g.new
  from given as g
  where r.job_id = g.job_id
    and r.payload = g.old;
  get diagnostics v_kept = row_count;
  return v_replaced + v_kept;
end
$$;

comment on function interlock.replace_payloads(text[], jsonb[], jsonb[]) is
  'Puts encrypted payloads in the place of encrypted ones, where those are still as they were read: for whoever has the keys and writes anew with another one. A payload that is not encrypted is never replaced. Returns how many it replaced; a job that somebody works on is left for the next call. Changes nothing else of a job, and writes no event: what the job was given is the same.
Locks: the jobs'' rows by id, SKIP LOCKED; then rows of results that nobody else changes. Raises IL005.';
