create function interlock.set_backlog_limit(p_scope text, p_max_unfinished integer, p_when_full text default 'refuse', p_actor text default null)
returns void
language plpgsql
set search_path = ''
as $$
begin
  perform interlock.check_isolation();
  if p_scope is null or not (p_scope = 'all' or (p_scope ~ '^task:[A-Za-z0-9][A-Za-z0-9._/-]*$' and pg_catalog.length(p_scope) <= 133)) then
    raise exception using
      errcode = 'IL005',
      message = 'scope must be all or task:NAME',
      column = 'scope',
      hint = 'The limit of a queue is its setting max_unfinished: set_queue().';
  elsif p_max_unfinished not between 0 and 10000000 then
    raise exception using errcode = 'IL005', message = 'max_unfinished must be from 0 to 10000000, or null for any number', column = 'max_unfinished';
  elsif p_when_full is null or p_when_full not in ('refuse', 'drop_oldest') then
    raise exception using errcode = 'IL005', message = 'when_full must be refuse or drop_oldest', column = 'when_full';
  end if;
  perform interlock.store_backlog_limit(p_scope, p_max_unfinished, p_when_full, null);
  insert into interlock.job_queue_log (created_at, event_type, actor, details)
  values (interlock.clock(), 'backlog_limit_set', p_actor,
    pg_catalog.jsonb_build_object('scope', p_scope, 'max_unfinished', p_max_unfinished, 'when_full', p_when_full));
end
$$;

comment on function interlock.set_backlog_limit(text, integer, text, text) is
  'Limits how many unfinished jobs (waiting or running) there may be of everything (all) or of a task (task:NAME); null for any number. When full, one more is refused with IL007 queue_full (refuse), or the oldest waiting one is deleted for it (drop_oldest). It counts what is there already, and takes none of it away. Locks the limit: waits for uncommitted enqueueings under it. Raises IL005, IL010.';
