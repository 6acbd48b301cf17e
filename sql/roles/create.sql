-- The four roles that Interlock's doors are opened to, without a login: grant them to users of your own, as in
-- `create role ci login in role interlock_agent`. Needs CREATEROLE; may be run again at any time. What they may do is in
-- grants.sql, which every migration runs where the roles exist; run it by `interlock migrate roles` after this.

do $$
declare
  v_role text;
begin
  foreach v_role in array '{interlock_owner,interlock_service,interlock_agent,interlock_reader}'::text[] loop
    if to_regrole(v_role) is null then
      execute format('create role %I nologin', v_role);
    end if;
  end loop;
end
$$;

comment on role interlock_owner is 'Owns what Interlock is made of. Its verbs run with its rights; nobody needs to be it but who migrates.';
comment on role interlock_service is 'Coordinators and HTTP servers: every verb of daily use, reading everything.';
comment on role interlock_agent is 'Agents: claims, reports and ends jobs of its own. Reads no table.';
comment on role interlock_reader is 'Dashboards and people who look: tables and views without payloads, results and outputs, and the verbs that only answer.';
