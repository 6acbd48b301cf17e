create function interlock.prune_dependencies(p_log_days integer default 7, p_limit integer default 10000) returns integer
language plpgsql
set search_path = ''
set enable_seqscan = off
as $$
declare
  v_pruned integer;
begin
  if p_log_days is null or p_log_days not between 0 and 36500 then
    raise exception using errcode = 'IL005', message = 'log_days must be 0 (for ever) to 36500', column = 'log_days';
  end if;
  with old as (
    select d.job_id, d.parent_id
    from interlock.job_dependencies as d
    where p_log_days > 0
      and d.settled_at < interlock.clock() - p_log_days * interval '1 day'
      and not exists (select from interlock.jobs as j where j.id = d.job_id)
    order by d.settled_at
    limit interlock.row_limit(p_limit)
  )
  delete from interlock.job_dependencies as d
  using old as o
  where d.job_id = o.job_id
    and d.parent_id = o.parent_id;
  get diagnostics v_pruned = row_count;
  return v_pruned;
end
$$;

comment on function interlock.prune_dependencies(integer, integer) is
  'Lets go of what ended jobs had depended on, as old as the log (0: keep for ever), up to p_limit rows. Returns how many. Run by the crontab. Raises IL005.';
