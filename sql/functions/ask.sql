create function interlock.ask(p_job_id text, p_token bigint, p_request jsonb, p_key text default null)
returns table (request_id text, status text, expires_at timestamptz, given_back text[])
language plpgsql
set search_path = ''
set enable_seqscan = off
as $$
declare
  c_open_at_most constant integer := 32;
  v_now timestamptz := interlock.clock();
  v_wrong record;
  v_job record;
  v_parent record;
  v_conversation text := p_request ->> 'conversation_id';
  v_from text;
  v_locked text[] := '{}';
  v_slots integer[];
  v_freed integer;
begin
  select w.field, w.problem into v_wrong from interlock.wrong_question(p_request) as w;
  if found then
    raise exception using errcode = 'IL005', message = v_wrong.problem, column = v_wrong.field;
  elsif length(p_key) not between 1 and 200 then
    raise exception using errcode = 'IL005', message = 'key must be 1 to 200 characters', column = 'key';
  end if;
  if p_request -> 'release_models' = 'true' or p_request ? 'release_resources' then
    -- As release_held(): the resources first, then the agent's row, and only then, in a later statement, what the job holds.
    perform interlock.lock_limits();
    select j.held, j.agent_id, interlock.resources_to_release(p_request, j.resources) as first
    into v_job
    from interlock.jobs as j
    where j.id = p_job_id
      and j.token = p_token
      and j.held is not null;
    v_from := v_job.first;
    v_locked := array(
      select h.resource
      from unnest(v_job.held) as h (resource)
      where (interlock.resource_order(h.resource), h.resource collate "C") >= (interlock.resource_order(v_from), v_from collate "C")
    );
    perform interlock.lock_resources(v_locked);
    perform from interlock.agent_stats as a where a.id = v_job.agent_id for no key update;
  end if;

  select j.id, j.status, j.kind, j.task, j.user_name, j.agent_id, j.queue, j.held, j.held_slots, j.cancel_requested_at
  into v_job
  from interlock.jobs as j
  where j.id = p_job_id
    and j.token = p_token
    and j.held is not null
  for no key update;
  if not found then
    perform interlock.refuse_holder(p_job_id, p_token, interlock.holder_refusal(p_job_id));
  end if;
  if p_key is not null then
    select m.id, m.state, m.expires_at, m.given_back
    into request_id, status, ask.expires_at, ask.given_back
    from interlock.job_messages as m
    where m.job_id = p_job_id
      and m.token = p_token
      and m.request_key = p_key;
    if found then
      return next;
      return;
    end if;
  end if;
  if v_job.status <> 'running' or v_job.cancel_requested_at is not null then
    raise exception using
      errcode = 'IL003',
      message = format(case when v_job.status <> 'running' then 'job %s is %s: its start has to be confirmed before it can ask' else 'job %s was asked to stop and can ask nothing' end, p_job_id, v_job.status),
      column = 'job_id';
  elsif (select count(*) from interlock.job_messages as m where m.job_id = p_job_id and m.token = p_token and m.state = 'open') >= c_open_at_most then
    raise exception using errcode = 'IL003', message = format('job %s has %s questions open already', p_job_id, c_open_at_most), column = 'job_id';
  end if;
  if p_request ? 'parent_message_id' then
    select m.conversation_id into v_parent from interlock.job_messages as m where m.id = p_request ->> 'parent_message_id';
    if not found then
      raise exception using errcode = 'IL005', message = format('message %s does not exist', p_request ->> 'parent_message_id'), column = 'parent_message_id';
    elsif v_conversation <> v_parent.conversation_id then
      raise exception using errcode = 'IL005', message = format('message %s is part of conversation %s', p_request ->> 'parent_message_id', v_parent.conversation_id), column = 'conversation_id';
    end if;
    v_conversation := v_parent.conversation_id;
  end if;

  if v_from is not null then
    if exists (select from interlock.job_messages as m where m.job_id = p_job_id and m.token = p_token and m.given_back is not null and m.resumed_at is null) then
      raise exception using
        errcode = 'IL003',
        message = format('job %s has given back what it needs already, for an earlier question', p_job_id),
        column = 'release_models',
        hint = 'Ask without giving back, or wait for the other answer first.';
    end if;
    select array_agg(h.resource order by interlock.resource_order(h.resource), h.resource collate "C")
    into ask.given_back
    from unnest(v_job.held) as h (resource)
    where (interlock.resource_order(h.resource), h.resource collate "C") >= (interlock.resource_order(v_from), v_from collate "C");
    if not ask.given_back <@ v_locked then
      raise exception using errcode = '40001', message = format('what job %s holds has grown meanwhile: try again', p_job_id);
    elsif cardinality(ask.given_back) > 31 then
      raise exception using errcode = 'IL005', message = 'a job can give back at most 31 resources', column = 'release_resources';
    end if;
  end if;
  if ask.given_back is not null then
    update interlock.job_queue_state as s
    set active_job_id = null,
        active_job_type = null,
        active_models = null
    where s.resource = any (ask.given_back)
      and s.active_job_id = p_job_id;
    get diagnostics v_freed = row_count;
    if v_freed <> cardinality(ask.given_back) then
      raise exception using
        errcode = 'XX000',
        message = format('interlock: %s of %s slots could be given back', v_freed, cardinality(ask.given_back)),
        hint = 'This is a defect: nothing was changed. Look at interlock.violations.';
    end if;
    update interlock.jobs as j
    set held = k.resources,
        held_slots = k.slots
    from (
      select coalesce(array_agg(h.resource order by h.n), '{}') as resources, coalesce(array_agg(h.slot order by h.n), '{}') as slots
      from unnest(v_job.held, v_job.held_slots) with ordinality as h (resource, slot, n)
      where h.resource <> all (ask.given_back)
    ) as k
    where j.id = p_job_id;
  end if;

  request_id := 'q-' || interlock.sortable_id(nextval('interlock.message_numbers'));
  status := 'open';
  insert into interlock.job_messages as m (id, kind, state, job_id, task, user_name, agent_id, token, request_type, message, context, created_at,
    expires_at, conversation_id, parent_message_id, request_key, given_back)
  select request_id, 'request', status, p_job_id, v_job.task, v_job.user_name, v_job.agent_id, p_token,
    coalesce(p_request ->> 'request_type', 'question'), p_request ->> 'message', coalesce(p_request -> 'context', '{}'), v_now,
    v_now + coalesce((p_request ->> 'expires_in_seconds')::integer, q.request_ttl_seconds) * interval '1 second',
    coalesce(v_conversation, request_id), p_request ->> 'parent_message_id', p_key, ask.given_back
  from interlock.queues as q
  where q.name = v_job.queue
  returning m.expires_at into ask.expires_at;
  insert into interlock.job_queue_log (created_at, event_type, job_id, job_type, from_status, to_status, token, agent_id, conflict_reason, resources, details)
  values (v_now, 'asked', p_job_id, v_job.kind, v_job.status, v_job.status, p_token, v_job.agent_id, left(p_request ->> 'message', 4096), ask.given_back,
    jsonb_build_object('request_id', request_id, 'request_type', coalesce(p_request ->> 'request_type', 'question'), 'expires_at', ask.expires_at));
  perform interlock.wake_and_ring(ask.given_back);
  return next;
end
$$;

comment on function interlock.ask(text, bigint, jsonb, text) is
  'The holder of a running job asks a person: {message, request_type (clarification, approval, question; question unless set), context, expires_in_seconds (unless set, the queue''s request_ttl_seconds), conversation_id, parent_message_id, release_models or release_resources}. Asked again with the same key it returns the same request. Returns its id, state, until when it may be answered, and what was given back. The answer is in the view requests; the job goes on running, under its timeout.
With release_models the slots of the job''s models, and of the limits on it, are free for others until there is an answer or the time is over; resume_request() then takes all of them again, and only then is the answer for the worker to read. The job must not use them in between: their fences are others'' by then. It keeps its user, its agent, its process and its token.
Locks: where it gives back: limits, shared; what it gives back, waiting, by lock key; the agent''s row; the job''s row; then lanes that it wakes; and it must be the first of its transaction (IL010). Else the job''s row alone. Raises IL001, IL002, IL003 (not confirmed, asked to stop, 32 questions open, given back already), IL005, 40001 where what it holds grew between the look and the locks: try again.';
