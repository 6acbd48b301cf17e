-- Who may do what, where the four roles of create.sql exist; else nothing happens. Run in the transaction that installs
-- functions and views: one that is dropped and created again would have lost its grants, and be everybody's.
--
-- A verb is SECURITY DEFINER: it runs with the rights of interlock_owner, behind its pinned search_path, so that whoever
-- may call it needs no right to any table. That is the only way to write: no role but the owner has INSERT, UPDATE or DELETE
-- on anything, which makes job_queue_log (and whatever else is append-only) so by grant and not by its trigger alone.
-- Rights on tables instead would let an agent that may claim also read all payloads and forge the log. It is set here and
-- not in the files: where there are no such roles the owner is often a superuser, and a definer would lend that to everybody.

do $$
declare
  c_roles constant text[] := '{interlock_owner,interlock_service,interlock_agent,interlock_reader}';
  -- What an agent's whole life needs, with a token for whatever is about one job.
  c_agent constant text[] := '{register_agent,heartbeat_agent,listen_agent,drain_agent,end_agent,claim_jobs,absorb_touches,'
    'start_job,start_jobs,heartbeat_job,report_progress,report_step,append_output,complete_job,complete_jobs,fail_job,'
    'return_job,return_jobs,confirm_cancel,ask,resume_request}';
  -- What only answers.
  c_reader constant text[] := '{agents_with_room,explain_job,history_summary,old_snapshots,queue_snapshot,'
    'read_events,stuck_claims,stuck_jobs,due_rates,lost_agents,neglected_routes,unserved_reservers,is_anything_left}';
  -- What changes numbers for ever, after a restore.
  c_owner constant text[] := '{raise_after_restore}';
  -- Columns that say what a job is about, not how it fares.
  c_private constant text[] := '{payload,result,lines,message,response,context,instructions,input,job}';
  -- What is called alike and tells nothing of a job's content.
  c_public constant text[] := '{alarms.message,raised_alarms.message}';
  -- The files of sql/functions; who runs this writes them here.
  c_verbs constant text[] := '{}';
  v_object record;
  v_columns text;
begin
  if exists (select from unnest(c_roles) as r (name) where to_regrole(r.name) is null) then
    return;
  end if;
  -- Roles are the server's: those of another database are no reason to fail in one whose owner has no part in them.
  if not pg_has_role('interlock_owner', 'member') then
    raise notice '% is no member of interlock_owner: the rights stay as they are', current_user;
    return;
  end if;

  for v_object in
    select p.oid, p.proname::text as name, p.proowner::regrole::text as owner, p.oid::regprocedure::text as signature, p.provolatile, p.prosecdef,
      p.proname::text = any (c_verbs) as is_verb, p.prorettype = 'trigger'::regtype as is_trigger
    from pg_proc as p
    where p.pronamespace = 'interlock'::regnamespace
  loop
    -- What has its owner is left alone: to be given one waits for everybody who uses it, and lets nobody by meanwhile.
    if v_object.owner <> 'interlock_owner' then
      execute format('alter function %s owner to interlock_owner', v_object.signature);
    end if;
    execute format('revoke all on function %s from public, interlock_service, interlock_agent, interlock_reader', v_object.signature);
    if v_object.is_verb then
      execute format('alter function %s security definer', v_object.signature);
      if v_object.name = any (c_owner) then
        continue;
      end if;
      execute format('grant execute on function %s to interlock_service', v_object.signature);
      if v_object.name = any (c_agent) then
        execute format('grant execute on function %s to interlock_agent', v_object.signature);
      end if;
      if v_object.name = any (c_reader) then
        execute format('grant execute on function %s to interlock_reader', v_object.signature);
      end if;
    elsif not v_object.is_trigger and (v_object.provolatile <> 'v' or v_object.name = 'clock') then
      -- Words and numbers that views and queries are made of: they cannot write, and read what their caller may.
      execute format('grant execute on function %s to interlock_service, interlock_reader', v_object.signature);
    end if;
  end loop;

  for v_object in
    select c.oid, c.oid::regclass::text as name, c.relname, c.relkind, c.relowner::regrole::text as owner
    from pg_class as c
    where c.relnamespace = 'interlock'::regnamespace
      and c.relkind in ('r', 'p', 'v', 'S')
    order by c.relkind
  loop
    if v_object.owner <> 'interlock_owner' and not exists (select from pg_depend as d where d.classid = 'pg_class'::regclass and d.objid = v_object.oid and d.deptype in ('a', 'i') and d.refobjsubid > 0) then
      execute format('alter %s %s owner to interlock_owner',
        case v_object.relkind when 'v' then 'view' when 'S' then 'sequence' else 'table' end, v_object.name);
    end if;
    execute format('revoke all on %s %s from public, interlock_service, interlock_agent, interlock_reader',
      case v_object.relkind when 'S' then 'sequence' else 'table' end, v_object.name);
    continue when v_object.relkind = 'S';
    execute format('grant select on table %s to interlock_service', v_object.name);
    select string_agg(quote_ident(a.attname), ', ')
    into v_columns
    from pg_attribute as a
    where a.attrelid = v_object.oid
      and a.attnum > 0
      and not a.attisdropped
      and (a.attname <> all (c_private) or pg_catalog.format('%s.%s', v_object.relname, a.attname) = any (c_public));
    execute format('revoke all (%s) on table %s from interlock_reader',
      (select string_agg(quote_ident(a.attname), ', ') from pg_attribute as a where a.attrelid = v_object.oid and a.attnum > 0 and not a.attisdropped),
      v_object.name);
    execute format('grant select (%s) on table %s to interlock_reader', v_columns, v_object.name);
  end loop;

  for v_object in
    select t.typname::text as name
    from pg_type as t
    where t.typnamespace = 'interlock'::regnamespace
      and t.typtype = 'd'
  loop
    execute format('alter domain interlock.%I owner to interlock_owner', v_object.name);
  end loop;

  alter schema interlock owner to interlock_owner;
  revoke all on schema interlock from public;
  grant usage on schema interlock to interlock_service, interlock_agent, interlock_reader;

  -- The doorbell is rung by verbs, and answered by the coordinator. graphile-worker lets its tables' owner alone at their
  -- rows; policies beside that, and no other owner, for the schema may serve somebody else too.
  if to_regnamespace('graphile_worker') is not null then
    grant usage on schema graphile_worker to interlock_owner, interlock_service;
    grant select, insert, update, delete on all tables in schema graphile_worker to interlock_owner, interlock_service;
    grant usage, select, update on all sequences in schema graphile_worker to interlock_owner, interlock_service;
    grant execute on all functions in schema graphile_worker to interlock_owner, interlock_service;
    for v_object in
      select c.oid::regclass::text as name
      from pg_class as c
      where c.relnamespace = 'graphile_worker'::regnamespace
        and c.relrowsecurity
        and not exists (select from pg_policy as p where p.polrelid = c.oid and p.polname = 'interlock')
    loop
      execute format('create policy interlock on %s to interlock_owner, interlock_service using (true) with check (true)', v_object.name);
    end loop;
  end if;
end
$$;
