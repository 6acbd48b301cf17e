create function interlock.expire_requests(p_limit integer default 1000) returns integer
language plpgsql
set search_path = ''
set enable_seqscan = off
as $$
declare
  v_now timestamptz := interlock.clock();
  v_request record;
  v_settled integer := 0;
begin
  for v_request in
    select m.id, m.job_id, m.token, m.agent_id, m.given_back, j.status, j.kind, j.id is null as is_over,
      -- Whoever was told that it had expired may have ended since.
      case when m.expires_at <= v_now then 'expired' else 'closed' end as state
    from interlock.job_messages as m
    left join interlock.jobs as j on j.id = m.job_id and j.token = m.token and j.held_slots is not null
    where m.state = 'open'
      and (m.expires_at <= v_now or j.id is null)
    order by m.id
    limit interlock.row_limit(p_limit)
    for no key update of m skip locked
  loop
    update interlock.job_messages as m
    set state = v_request.state,
        settled_at = v_now,
        resumed_at = case when v_request.is_over and m.given_back is not null then v_now end
    where m.id = v_request.id;
    insert into interlock.job_queue_log (created_at, event_type, job_id, job_type, from_status, to_status, token, agent_id, conflict_reason, details)
    values (v_now, 'request_' || v_request.state, v_request.job_id, v_request.kind, v_request.status, v_request.status, v_request.token, v_request.agent_id,
      case v_request.state when 'closed' then 'its claim has ended' else 'nobody answered in time' end,
      jsonb_build_object('request_id', v_request.id));
    if v_request.given_back is not null and not v_request.is_over then
      perform interlock.retake(v_request.id, v_now);
    end if;
    v_settled := v_settled + 1;
  end loop;
  return v_settled;
end
$$;

comment on function interlock.expire_requests(integer) is
  'Ends up to p_limit open requests: those that nobody answered in time expire, of which the asker is told (it takes again first what it gave back), those whose claim ended before that are closed. Returns how many. No verb that ends a job looks for its questions: the claim that asked is the test, and a claim that is over never comes back. Locks the requests'' rows, SKIP LOCKED; insert-only towards the scheduler. Run by the tick.';
