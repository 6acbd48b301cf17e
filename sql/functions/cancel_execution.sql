create function interlock.cancel_execution(p_execution_id text, p_reason text default null, p_actor text default null)
returns table (status text, cancelled text[], asked text[])
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := interlock.clock();
  v_reason text := coalesce(p_reason, pg_catalog.format('execution %s was cancelled', p_execution_id));
  v_job_ids text[];
  v_locked text[];
begin
  perform interlock.check_isolation();
  select e.job_ids into v_job_ids from interlock.workflow_executions as e where e.id = p_execution_id;
  if not found then
    raise exception using
      errcode = 'IL001',
      message = pg_catalog.format('there is no execution %s of a workflow', p_execution_id),
      column = 'execution_id',
      hint = 'A single job is cancelled by cancel_job().';
  end if;
  v_locked := array(
    select j.id::text
    from interlock.jobs as j
    where j.id = any (v_job_ids)
      and j.status <> 'failed'
    order by j.id
    for no key update
  );
  -- In a later statement than the locks: whoever was waited for may have ended one of them, or started it.
  cancelled := array(select j.id::text from interlock.jobs as j where j.id = any (v_locked) and j.status <> 'failed' and j.held is null order by j.id);
  asked := array(select j.id::text from interlock.jobs as j where j.id = any (v_locked) and j.held is not null and j.cancel_requested_at is null order by j.id);
  if not exists (select from interlock.jobs as j where j.id = any (v_locked) and j.status <> 'failed') then
    raise exception using
      errcode = 'IL003',
      message = pg_catalog.format('execution %s has ended: it is %s', p_execution_id,
        (select p.status from interlock.workflow_progress as p where p.id = p_execution_id)),
      column = 'execution_id';
  end if;
  if cancelled <> '{}' then
    perform interlock.end_jobs(cancelled, 'cancelled', v_now, v_reason, p_actor);
  end if;
  if asked <> '{}' then
    perform interlock.ask_to_stop(asked, v_now, v_reason, p_actor);
  end if;
  status := case when exists (select from interlock.jobs as j where j.id = any (v_locked) and j.held is not null) then 'cancelling' else 'cancelled' end;
  return next;
end
$$;

comment on function interlock.cancel_execution(text, text, text) is
  'Cancels a whole execution of a workflow: its jobs that wait at once, one that runs is asked to stop, and its resources stay taken until its process is confirmed gone. A step that has failed for good stays a dead letter. Each job''s line in the log has the reason and who it was. Returns cancelled, or cancelling while one of them runs, and which jobs were ended and asked just now; called again meanwhile it asks nobody twice.
None of the jobs is told by another: all end in one transaction, and what they leave behind for settle_dependents() finds the children ended already. Jobs beside the execution that depend on it are cancelled by that, once.
Locks the jobs'' rows by id, waiting; insert-only towards the scheduler. Raises IL001 where there is no such execution, IL003 where it has ended, IL010.';
