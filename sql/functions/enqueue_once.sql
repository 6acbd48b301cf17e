create function interlock.enqueue_once(p_key text, p_jobs jsonb, p_actor text default null)
returns table (ordinal integer, job_id text, status text, repeated boolean, is_duplicate boolean)
language plpgsql
set search_path = ''
as $$
declare
  v_ids text[];
  v_duplicates boolean[];
begin
  if p_jobs is null then
    raise exception using errcode = 'IL005', message = 'jobs must be an array of 1 to 10,000 jobs', column = 'jobs';
  end if;
  v_ids := interlock.remember_key(p_key, pg_catalog.sha256(pg_catalog.convert_to(p_jobs::text, 'UTF8')));
  repeated := v_ids is not null;
  if not repeated then
    select array_agg(e.job_id order by e.ordinal), array_agg(e.is_duplicate order by e.ordinal)
    into v_ids, v_duplicates
    from interlock.enqueue_jobs(p_jobs, p_actor) as e;
    update interlock.idempotency_keys as k
    set job_ids = v_ids
    where k.key = p_key;
  end if;
  return query
  select u.n::integer, u.id, coalesce(j.status, t.outcome, 'deleted'), enqueue_once.repeated, coalesce(v_duplicates[u.n], false)
  from unnest(v_ids) with ordinality as u (id, n)
  left join interlock.jobs as j on j.id = u.id
  left join lateral (select h.outcome from interlock.task_history as h where h.job_id = u.id limit 1) as t on true
  order by u.n;
end
$$;

comment on function interlock.enqueue_once(text, jsonb, text) is
  'Enqueues as enqueue_jobs() does, once for a key of the caller''s: called again with the same key and the same jobs it writes nothing and returns the same ids with the status that they have by now, and repeated (is_duplicate is said the first time alone). For whoever cannot know whether an earlier call was heard. The key is kept as long as the log.
Locks: the key, before anything else; a call waits for an uncommitted one with the same key. Raises IL006 idempotency_conflict where the key was used for other jobs, and what enqueue_jobs() raises; nothing is written then, and the key stays free.';
