create function interlock.store_backlog_limit(
  p_scope text, p_max_unfinished integer, p_when_full text, p_refuse_after_wait_seconds double precision
) returns void
language plpgsql
set search_path = ''
as $$
begin
  perform pg_catalog.pg_advisory_xact_lock(interlock.lock_key('backlog of ' || p_scope));
  if p_max_unfinished is null and p_refuse_after_wait_seconds is null then
    delete from interlock.backlog_limits as b
    where b.scope = p_scope;
    return;
  end if;
  insert into interlock.backlog_limits as b (scope, max_unfinished, when_full, refuse_after_wait_seconds, uncounted_jobs, updated_at)
  values (p_scope, p_max_unfinished, p_when_full, p_refuse_after_wait_seconds,
    case when p_max_unfinished is null then 0 else interlock.count_unfinished(p_scope, false) end, interlock.clock())
  on conflict (scope) do update
  set max_unfinished = excluded.max_unfinished,
      when_full = excluded.when_full,
      refuse_after_wait_seconds = excluded.refuse_after_wait_seconds,
      uncounted_jobs = excluded.uncounted_jobs,
      updated_at = excluded.updated_at;
end
$$;

comment on function interlock.store_backlog_limit(text, integer, text, double precision) is
  'Stores a limit of unfinished jobs as enqueueings look it up; without one its row goes. What is there already counts: it is looked for once, by reading all jobs. Locks the limit, waiting for enqueueings under it.';
