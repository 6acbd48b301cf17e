create function interlock.count_unfinished(p_scope text, p_are_counted boolean) returns bigint
language plpgsql stable
set search_path = ''
as $$
declare
  v_name text := substr(p_scope, strpos(p_scope, ':') + 1);
begin
  if not p_are_counted then
    -- Before there was a limit nobody kept an index of them: every job is read.
    return (
      select count(*)
      from interlock.jobs as j
      where j.is_counted is null
        and j.status <> 'failed'
        and j.queue <> 'locks'
        and (p_scope = 'all' or (starts_with(p_scope, 'queue:') and j.queue = v_name) or (starts_with(p_scope, 'task:') and j.task = v_name))
    );
  elsif p_scope = 'all' then
    return (select count(*) from interlock.jobs as j where j.is_counted and j.status <> 'failed');
  elsif starts_with(p_scope, 'queue:') then
    return (select count(*) from interlock.jobs as j where j.is_counted and j.status <> 'failed' and j.queue = v_name);
  end if;
  return (
    select coalesce(sum(c.n), 0)
    from interlock.queues as q
    cross join lateral (
      select count(*) as n
      from interlock.jobs as j
      where j.is_counted
        and j.status <> 'failed'
        and j.queue = q.name
        and j.task = v_name
    ) as c
  );
end
$$;

comment on function interlock.count_unfinished(text, boolean) is
  'How many unfinished jobs there are of everything, a queue or a task (all, queue:NAME, task:NAME): those enqueued under a limit, by their index, or the others, by reading every job. Locks nothing.';
