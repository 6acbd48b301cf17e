-- Up Migration

alter domain interlock.agent_state drop constraint agent_state_is_known;
alter domain interlock.agent_state add constraint agent_state_is_known check (value in ('active', 'suspended', 'draining', 'gone'));
comment on domain interlock.agent_state is 'active, suspended, draining or gone.';

alter table interlock.agent_stats
  add column base_score real not null default 0,
  add column slots_open interlock.backlog not null default 10000,
  add column suspended_at timestamptz,
  add column listens_until timestamptz;
update interlock.agent_stats set slots_open = slots;
comment on column interlock.agent_stats.state is
  'active, suspended (finishes what it holds, claims no more until it is resumed), draining (the same, and then ends) or gone.';
comment on column interlock.agent_stats.load_score is '0 to 100, as of its last heartbeat: CPU, memory and queue depth by the weights of agent_policy.';
comment on column interlock.agent_stats.load_level is 'low, moderate, high or critical, by the levels of agent_policy.';
comment on column interlock.agent_stats.base_score is 'What of the score the jobs that it was given do not account for: with their number by now it is what the dispatcher orders agents by.';
comment on column interlock.agent_stats.slots_open is
  'Of how many of its slots it may make use at its load: all, fewer near max_utilisation, none above. Reckoned by its heartbeat, so that a claim has one number to look at.';
comment on column interlock.agent_stats.suspended_at is 'When it was suspended; its next incarnations are so too, until it is resumed.';
comment on column interlock.agent_stats.listens_until is 'Of an agent that asks for work by calls which wait: until when one waits. It is given none at other times. Null: it listens all the time.';

create table interlock.agent_policy (
  is_only boolean primary key default true,
  cpu_weight double precision not null default 40,
  memory_weight double precision not null default 35,
  queue_weight double precision not null default 25,
  moderate_from double precision not null default 40,
  high_from double precision not null default 60,
  critical_from double precision not null default 80,
  max_utilisation double precision not null default 80,
  updated_at timestamptz not null default now(),
  constraint agent_policy_has_one_row check (is_only),
  constraint agent_policy_weights_are_sane check (
    cpu_weight between 0 and 1000 and memory_weight between 0 and 1000 and queue_weight between 0 and 1000
    and cpu_weight + memory_weight + queue_weight > 0),
  constraint agent_policy_levels_ascend check (
    0 <= moderate_from and moderate_from <= high_from and high_from <= critical_from and critical_from <= 100),
  constraint agent_policy_ceiling_is_a_percentage check (max_utilisation > 0 and max_utilisation <= 100)
);
insert into interlock.agent_policy default values;
comment on table interlock.agent_policy is
  'The one row by which the load of agents is judged. Changed at run time by set_agent_policy(), which judges all that live anew.';
comment on column interlock.agent_policy.is_only is 'There is one row.';
comment on column interlock.agent_policy.cpu_weight is 'What the CPU counts in the score, in proportion to the other weights.';
comment on column interlock.agent_policy.memory_weight is 'What memory counts.';
comment on column interlock.agent_policy.queue_weight is 'What counts how much an agent has in hand of what it may have.';
comment on column interlock.agent_policy.moderate_from is 'From this score on the level is moderate; below, low.';
comment on column interlock.agent_policy.high_from is 'From this score on the level is high.';
comment on column interlock.agent_policy.critical_from is 'From this score on the level is critical.';
comment on column interlock.agent_policy.max_utilisation is 'An agent whose score is above this gets no job, pushed or pulled.';
comment on column interlock.agent_policy.updated_at is 'When it last changed.';

-- Down Migration

drop table interlock.agent_policy;
update interlock.agent_stats set state = 'draining' where state = 'suspended';
alter table interlock.agent_stats
  drop column base_score,
  drop column slots_open,
  drop column suspended_at,
  drop column listens_until;
alter domain interlock.agent_state drop constraint agent_state_is_known;
alter domain interlock.agent_state add constraint agent_state_is_known check (value in ('active', 'draining', 'gone'));
