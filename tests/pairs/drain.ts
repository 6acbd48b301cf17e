// How a scene comes to rest, whatever the two verbs made of it.

import { later } from './scenes.ts'

export const drainSupport = `
  -- Everybody is let go on until nothing waits and nothing runs.
  create or replace procedure interlock_test.drain() language plpgsql as $$
   declare
     v_agent text;
     v_left integer;
     v_more boolean;
     v_request text;
     v_ids text[];
     v_tokens bigint[];
   begin
     perform interlock.set_queue(q.name, '{"is_paused": false}') from interlock.queues as q where q.is_paused;
     commit;
     perform interlock.pause_resource('model:flux', false);
     commit;
     select a.agent_id into v_agent from interlock.register_agent('last', '{default}', 1000, p_lease_seconds => 3600,
       p_permission_levels => '{autonomous,supervised,human_required}') as a;
     commit;
     perform interlock.approve_job(j.id) from interlock.jobs as j where j.status = 'paused' and j.permission_level = 'human_required';
     commit;
     perform interlock.start_paused_job(j.id) from interlock.jobs as j where j.status = 'paused';
     commit;
     -- Who needs the success of a dead letter waits for a person.
     perform interlock.requeue_job(j.id)
     from interlock.jobs as j
     where j.status = 'failed'
       and exists (select from interlock.job_dependencies as d where d.parent_id = j.id and d.needs = 'success');
     commit;
     for v_round in 1..30 loop
       perform ${later(20)};
       perform interlock.promote_due_jobs();
       commit;
       loop
         select s.more into v_more from interlock.settle_dependents() as s;
         commit;
         exit when not v_more;
       end loop;
       loop
         select a.left_over into v_left from interlock.absorb_touches() as a;
         commit;
         exit when v_left = 0;
       end loop;
       perform interlock.wake_patient_lanes();
       commit;
       if cardinality(interlock.due_rates()) > 0 then
         perform interlock.wake_rate('rate:model:flux');
         commit;
       end if;
       for v_claim in 1..30 loop
         perform interlock.claim_jobs('locks.0', null, 100);
         commit;
         select c.more into v_more from interlock.claim_jobs(v_agent, null, 100) as c;
         commit;
         exit when not v_more;
       end loop;
       perform interlock.expire_requests();
       commit;
       foreach v_request in array interlock.away_requests() loop
         perform interlock.resume_request(v_request);
         commit;
       end loop;
       select array_agg(j.id), array_agg(j.token) into v_ids, v_tokens from interlock.jobs as j where j.held is not null;
       if v_ids is null and not exists (select from interlock.jobs as j where j.status <> 'failed')
         and not exists (select from interlock.job_dependency_touches)
         and not exists (
           select from interlock.job_messages as m where m.state = 'open' or (m.given_back is not null and m.resumed_at is null)
         ) then
         return;
       end if;
       commit;
       if v_ids is not null then
         perform interlock.complete_jobs(v_ids, v_tokens);
         commit;
       end if;
     end loop;
     raise exception 'jobs wait for ever: %', (select string_agg(j.id || ' ' || j.status, ', ') from interlock.jobs as j);
   end
   $$`
