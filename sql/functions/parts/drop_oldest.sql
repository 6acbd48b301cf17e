create function interlock.drop_oldest(p_scope text, p_count bigint, p_reason text, p_actor text) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_name text := substr(p_scope, strpos(p_scope, ':') + 1);
  v_ids text[];
begin
  v_ids := array(
    select j.id
    from interlock.jobs as j
    where j.held is null
      and j.status <> 'failed'
      and j.queue <> 'locks'
      and (p_scope = 'all' or (starts_with(p_scope, 'queue:') and j.queue = v_name) or (starts_with(p_scope, 'task:') and j.task = v_name))
    order by j.created_at, j.id
    limit p_count
    for no key update skip locked
  );
  if v_ids = '{}' then
    return 0;
  end if;
  return interlock.end_jobs(v_ids, 'deleted', interlock.clock(), p_reason, p_actor);
end
$$;

comment on function interlock.drop_oldest(text, bigint, text, text) is
  'Deletes so many waiting jobs of everything, a queue or a task, the oldest first, for newer ones: they end as deleted, with the reason in the log. Never one that runs, nor a manual lock, nor one that somebody is just claiming or changing. Returns how many. Locks their rows, SKIP LOCKED.';
