create function interlock.prune_workflow_executions(p_history_days integer default 365, p_limit integer default 10000) returns integer
language plpgsql
set search_path = ''
set enable_seqscan = off
as $$
declare
  v_pruned integer;
begin
  if p_history_days is null or p_history_days not between 0 and 36500 then
    raise exception using errcode = 'IL005', message = 'history_days must be 0 (for ever) to 36500', column = 'history_days';
  end if;
  with old as (
    select e.id
    from interlock.workflow_executions as e
    where p_history_days > 0
      and e.created_at < interlock.clock() - p_history_days * interval '1 day'
      and not exists (select from interlock.jobs as j where j.id = any (e.job_ids))
    order by e.created_at
    limit interlock.row_limit(p_limit)
  )
  delete from interlock.workflow_executions as e
  using old as o
  where e.id = o.id;
  get diagnostics v_pruned = row_count;
  return v_pruned;
end
$$;

comment on function interlock.prune_workflow_executions(integer, integer) is
  'Lets go of executions that were asked for so many days ago (0: keep for ever) and whose jobs have all ended, up to p_limit. Returns how many. Run by the crontab. Raises IL005.';
