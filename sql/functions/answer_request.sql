create function interlock.answer_request(p_request_id text, p_response jsonb, p_actor text default null)
returns table (response_id text, response_type text, resumes boolean)
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := interlock.clock();
  v_wrong record;
  v_request record;
  v_responder text := coalesce(p_response ->> 'responder_id', left(p_actor, 200));
begin
  select w.field, w.problem into v_wrong from interlock.wrong_response(p_response) as w;
  if found then
    raise exception using errcode = 'IL005', message = v_wrong.problem, column = v_wrong.field;
  end if;
  select m.state, m.request_type, m.job_id, m.token, m.agent_id, m.task, m.user_name, m.conversation_id, m.expires_at, m.given_back, j.status, j.kind
  into v_request
  from interlock.job_messages as m
  left join interlock.jobs as j on j.id = m.job_id and j.token = m.token and j.held is not null
  where m.id = p_request_id
    and m.kind = 'request'
  for no key update of m;
  if not found then
    raise exception using errcode = 'IL001', message = format('request %s does not exist', coalesce(p_request_id, 'null')), column = 'request_id';
  elsif v_request.state = 'answered' then
    raise exception using
      errcode = 'IL003',
      message = (
        select format('request %s was answered already%s', p_request_id, coalesce(' by ' || m.responder_id, ''))
        from interlock.job_messages as m
        where m.parent_message_id = p_request_id
          and m.kind = 'response'
      ),
      column = 'request_id';
  elsif v_request.state = 'expired' or (v_request.state = 'open' and v_request.expires_at <= v_now) then
    raise exception using errcode = 'IL003', message = format('request %s has expired', p_request_id), column = 'request_id';
  elsif v_request.state = 'closed' or (v_request.state = 'open' and v_request.status is null) then
    raise exception using errcode = 'IL003', message = format('request %s is closed: job %s does not wait for it any more', p_request_id, v_request.job_id), column = 'request_id';
  end if;
  response_type := coalesce(p_response ->> 'response_type', case when v_request.request_type <> 'approval' then 'answer' end);
  if (v_request.request_type = 'approval') is distinct from (response_type in ('approval', 'rejection')) then
    raise exception using
      errcode = 'IL005',
      message = format('a request of type %s takes %s', v_request.request_type, case when v_request.request_type = 'approval' then 'approval or rejection' else 'answer or instruction' end),
      column = 'response_type',
      hint = case when v_request.request_type = 'approval' then 'Say which: nothing else is taken for a yes or a no.' else 'What was not asked for is not approved by it.' end;
  elsif response_type in ('answer', 'instruction') and coalesce(p_response ->> 'message', '') = '' then
    raise exception using errcode = 'IL005', message = 'message must be 1 to 16384 characters', column = 'message';
  end if;

  response_id := 'r-' || interlock.sortable_id(nextval('interlock.message_numbers'));
  resumes := v_request.given_back is not null;
  insert into interlock.job_messages (id, kind, job_id, task, user_name, agent_id, token, response_type, message, created_at, generated_by, responder_id,
    conversation_id, parent_message_id, instructions)
  values (response_id, 'response', v_request.job_id, v_request.task, v_request.user_name, v_request.agent_id, v_request.token, response_type,
    coalesce(p_response ->> 'message', ''), v_now, coalesce(p_response ->> 'generated_by', 'human'), v_responder,
    v_request.conversation_id, p_request_id,
    array(select jsonb_array_elements_text(coalesce(p_response -> 'instructions', '[]'))));
  update interlock.job_messages as m
  set state = 'answered',
      settled_at = v_now
  where m.id = p_request_id;
  insert into interlock.job_queue_log (created_at, event_type, job_id, job_type, from_status, to_status, token, agent_id, actor, conflict_reason, details)
  values (v_now, 'answered', v_request.job_id, v_request.kind, v_request.status, v_request.status, v_request.token, v_request.agent_id,
    coalesce(v_responder, p_actor), nullif(left(p_response ->> 'message', 4096), ''),
    jsonb_build_object('request_id', p_request_id, 'response_id', response_id, 'response_type', response_type));
  if resumes then
    perform interlock.retake(p_request_id, v_now);
  end if;
  return next;
end
$$;

comment on function interlock.answer_request(text, jsonb, text) is
  'Answers a request, once: {response_type, message, instructions (a list of steps), generated_by (human unless set, or automated), responder_id (unless set, p_actor)}. An approval takes approval or rejection and has to be told which; a question and a clarification take answer (unless set) or instruction: nobody''s "sure" to a question is taken for an approval. Returns the response''s id and type, and whether the job has to take again what it gave back before its worker reads it.
Locks: the request''s row; insert-only towards the scheduler, so it waits for nobody but another answer. That its claim is over, once seen, stays true, and is asked without a lock; a claim that ends at the same moment leaves an answer that nobody reads. Raises IL001 where there is no such request, IL003 where it was answered already, has expired or is closed, IL005.';
