-- Up Migration

-- Questions of jobs to people, and their answers. A table of its own: a job that asks nothing pays nothing for it.

create sequence interlock.message_numbers as bigint;
comment on sequence interlock.message_numbers is 'Numbers of the requests and responses in job_messages.';

create table interlock.job_messages (
  id text collate "C" primary key,
  kind text not null,
  state text,
  job_id text collate "C" not null,
  task text not null,
  user_name text,
  agent_id text,
  token bigint not null,
  request_type text,
  response_type text,
  message text not null,
  created_at timestamptz not null,
  expires_at timestamptz,
  settled_at timestamptz,
  generated_by text,
  responder_id interlock.short_name,
  conversation_id interlock.short_name not null,
  parent_message_id text collate "C",
  instructions text[],
  context jsonb not null default '{}',
  request_key text,
  given_back text[] collate "C",
  companion_id text collate "C",
  resume_fence bigint,
  resumed_at timestamptz,
  constraint job_messages_kind_is_known check (kind in ('request', 'response')),
  constraint job_messages_request_has_a_state check (
    (kind = 'request') = (state is not null)
    and (kind = 'request') = (request_type is not null)
    and (kind = 'request') = (expires_at is not null)
    and (kind = 'response') = (response_type is not null)
    and (kind = 'response') = (generated_by is not null)
    and (kind = 'response') = (instructions is not null)
    and (kind = 'request' or (parent_message_id is not null and request_key is null and given_back is null))),
  constraint job_messages_state_is_known check (state in ('open', 'answered', 'expired', 'closed')),
  constraint job_messages_settled_once check ((state <> 'open') = (settled_at is not null)),
  constraint job_messages_request_type_is_known check (request_type in ('clarification', 'approval', 'question')),
  constraint job_messages_response_type_is_known check (response_type in ('answer', 'instruction', 'approval', 'rejection')),
  constraint job_messages_generated_by_is_known check (generated_by in ('human', 'automated')),
  constraint job_messages_message_is_bounded check (
    length(message) <= 16384 and (message <> '' or response_type in ('approval', 'rejection'))),
  constraint job_messages_instructions_are_few check (cardinality(instructions) <= 100),
  constraint job_messages_context_is_an_object check (jsonb_typeof(context) = 'object' and pg_column_size(context) <= 262144),
  constraint job_messages_key_is_short check (length(request_key) between 1 and 200),
  constraint job_messages_resumed_had_given_back check (
    given_back is not null or (companion_id is null and resume_fence is null and resumed_at is null))
);
create unique index job_messages_one_answer on interlock.job_messages (parent_message_id) where kind = 'response';
create unique index job_messages_asked_once on interlock.job_messages (job_id, token, request_key) where request_key is not null;
create index job_messages_of_job on interlock.job_messages (job_id, id);
create index job_messages_of_conversation on interlock.job_messages (conversation_id, id);
create index job_messages_open on interlock.job_messages (id) where state = 'open';
create index job_messages_away on interlock.job_messages (id) where given_back is not null and resumed_at is null;
create index job_messages_old on interlock.job_messages (created_at);

comment on table interlock.job_messages is
  'One row is a request (a question that a running job puts to a person or to a program in the place of one) or a response to it. Written by ask(), answer_request(), expire_requests() and resume_request() only; the view requests shows both together, as they stand now. The events in job_queue_log: asked, answered, request_expired, request_closed, resumed.';
comment on column interlock.job_messages.id is 'q- and a sortable number for a request, r- for a response.';
comment on column interlock.job_messages.kind is 'request or response.';
comment on column interlock.job_messages.state is 'Of a request, as it was written: open, answered, expired, or closed (its claim ended first). Until the tick comes by an open one may be over already: see requests.status.';
comment on column interlock.job_messages.job_id is 'The job that asks.';
comment on column interlock.job_messages.task is 'Its task, for people.';
comment on column interlock.job_messages.user_name is 'Whose job it is, for people.';
comment on column interlock.job_messages.agent_id is 'The incarnation that held it as it asked.';
comment on column interlock.job_messages.token is 'The claim that asks. The request is over when the claim is.';
comment on column interlock.job_messages.request_type is 'clarification, approval or question.';
comment on column interlock.job_messages.response_type is 'approval or rejection to an approval; answer or instruction to the others.';
comment on column interlock.job_messages.message is 'What is asked, or answered: up to 16,384 characters. Empty only where yes or no is the whole answer.';
comment on column interlock.job_messages.created_at is 'When it was asked or answered.';
comment on column interlock.job_messages.expires_at is 'Until when a request may be answered.';
comment on column interlock.job_messages.settled_at is 'When a request was answered, expired or closed; null while it is open.';
comment on column interlock.job_messages.generated_by is 'Of a response: human or automated.';
comment on column interlock.job_messages.responder_id is 'Of a response: who gave it.';
comment on column interlock.job_messages.conversation_id is 'The thread: of a request that opens one its own id, unless it names another.';
comment on column interlock.job_messages.parent_message_id is 'What it follows on; of a response its request.';
comment on column interlock.job_messages.instructions is 'Of a response: what to do, step by step.';
comment on column interlock.job_messages.context is 'Of a request: what helps to answer it, an object of at most 64 KiB.';
comment on column interlock.job_messages.request_key is 'What the asker names the request by, so that it may ask again after a lost answer.';
comment on column interlock.job_messages.given_back is 'What the job gave back for the time of its waiting, in resource order; null: nothing.';
comment on column interlock.job_messages.companion_id is 'The job of queue locks that stands in line for what was given back.';
comment on column interlock.job_messages.resume_fence is 'The fence under which the job holds again what it gave back: higher than its token.';
comment on column interlock.job_messages.resumed_at is 'When it had it again, or had no more use for it; until then the tick looks after it.';

alter table interlock.queues add column request_ttl_seconds interlock.run_seconds not null default 1800;
comment on column interlock.queues.request_ttl_seconds is 'How long a question of a job of this queue may wait for its answer, unless the question says otherwise.';

-- Down Migration

alter table interlock.queues drop column request_ttl_seconds;
drop table interlock.job_messages cascade;
drop sequence interlock.message_numbers;
