// The scenes in which two verbs meet: in each of them one job, `j` of alice on flux, is in the state that some verbs are for,
// its lane and its resources are in the state that goes with it, and `k` (alice's too) and `m` (bob's on flux) wait beside it.
// In the scenes of manual locks a lock of alice and flux, `a1` of ann, is in the place of that job.

import { locksOfTheSchema } from '../commands/setting.ts'

export type SceneName = keyof typeof scenes

const enqueue = (id: string, more = '') =>
  `interlock.enqueue_jobs('[{"id": "${id}", "task": "work", "queue": "default", "user": "${id === 'm' ? 'bob' : id === 'x' ? 'carol' : 'alice'}", "models": ["flux"], "retry_delays_seconds": [3]${more}}]')`
const absorb = 'interlock.absorb_touches()'
const claim = (limit: number) => `interlock.claim_jobs('worker.1', null, ${limit})`
export const later = (seconds: number) =>
  `setval('interlock_test.seconds', (select last_value from interlock_test.seconds) + ${seconds})`
const others = [enqueue('k'), enqueue('m'), absorb]

const empty = [
  'interlock_test.reset()',
  'interlock_test.reset_more()',
  `interlock.set_queue('default', '{"patience_seconds": "30", "priority_step_seconds": 20}')`,
  `interlock.set_limit('limit:all', 3)`,
  `interlock.register_agent('worker', '{default}', 100, p_lease_seconds => 600)`,
  `interlock.register_agent('other', '{default}', 100, p_lease_seconds => 3600)`,
]
const assigned = [...empty, enqueue('j'), ...others, claim(100), claim(100)]
const running = [...assigned, `interlock.start_jobs('{j}', '{1}')`]
const untold = [...running, enqueue('c', ', "depends_on": ["j"], "ttl_seconds": 0')]
const acquire = `interlock.acquire_lock('{user:alice,model:flux}', 'ann', 60, 30)`
const grant = `interlock.claim_jobs('locks.0', null, 10)`
// The first number is drawn for nothing, so that a token of 1 is stale once it is granted.
const asked = [...empty, acquire, `nextval('interlock.grant_numbers')`, absorb, ...others]
const locked = [...empty, acquire, absorb, grant, ...others, claim(100), `interlock.poll_lock('a1', 'ann')`]
const patient = [
  ...empty,
  enqueue('x'),
  absorb,
  claim(1),
  enqueue('j'),
  absorb,
  claim(1),
  later(40),
  enqueue('m'),
  absorb,
]

/** Statements, each of them a transaction. Where `j` was ever claimed its token is 1. */
export const scenes = {
  pending: [...empty, enqueue('j'), absorb, claim(1), `interlock.return_jobs('{j}', '{1}', 'returned')`, ...others],
  touched: [...empty, enqueue('k'), absorb, enqueue('j'), enqueue('m')],
  assigned,
  running,
  stopping: [...running, `interlock.cancel_job('j')`],
  lost: [...running, later(700)],
  scheduled: [...empty, enqueue('j', ', "delay_seconds": 5'), ...others, later(10)],
  paused: [...empty, enqueue('j', ', "start": false'), ...others],
  unapproved: [...empty, enqueue('j', ', "permission_level": "human_required"'), ...others],
  executing: [
    ...empty,
    `interlock.apply_workflow('{"id": "w", "task": "work", "steps": [{"name": "draw", "default_model": "flux"}]}')`,
    `interlock.execute_workflow('w', '{"id": "j", "user": "alice", "queue": "default"}')`,
    ...others,
    claim(100),
    claim(100),
    `interlock.start_jobs('{j}', '{1}')`,
  ],
  failed: [
    ...empty,
    enqueue('j'),
    absorb,
    claim(1),
    `interlock.fail_job('j', 1, '{"message": "no"}', 'never')`,
    ...others,
  ],
  expiring: [...empty, enqueue('j', ', "ttl_seconds": 5'), ...others, later(10)],
  patient,
  reserving: [
    ...patient,
    'interlock.wake_patient_lanes()',
    claim(100),
    `interlock.set_queue('default', '{"is_paused": true}')`,
  ],
  rated: [
    ...empty,
    `interlock.set_limit('model:flux', 1, p_starts_per_minute => 1)`,
    enqueue('x'),
    absorb,
    claim(1),
    `interlock.complete_jobs('{x}', '{1}')`,
    enqueue('j'),
    absorb,
    claim(1),
    later(70),
  ],
  closed: [
    ...[...empty, enqueue('j'), absorb, claim(1), `interlock.return_jobs('{j}', '{1}', 'returned')`],
    ...[`interlock.pause_resource('model:flux')`, ...others, claim(100)],
  ],
  asked,
  unasked: [...asked, later(100)],
  lining: [...empty, enqueue('x'), absorb, claim(1), acquire, absorb, grant, ...others],
  granted: [...empty, acquire, absorb, grant, ...others, claim(100)],
  locked,
  lapsed: [...locked, later(100)],
  marked: [...locked, later(100), 'interlock.expire_locks()'],
  // A job `c` depends on its success. Who ends it leaves a touch, where it was not told before that it has a child.
  untold,
  parent: [...untold, 'interlock.settle_dependents()'],
  orphaned: [...untold, `interlock.complete_jobs('{j}', '{1}')`],
  idle: [...empty, enqueue('j'), absorb, claim(1), `interlock.complete_jobs('{j}', '{1}')`, later(100)],
} as const satisfies Record<string, readonly string[]>

const kept = [
  ...[
    'jobs',
    'job_lanes',
    'job_lane_touches',
    'lane_floors',
    'touch_floor',
    'lane_users',
    'job_queue_state',
    'job_queue_log',
    'task_history',
  ],
  ...['job_results', 'job_output', 'agent_stats', 'resource_limits', 'queues'],
  ...['job_dependencies', 'job_dependency_touches'],
  ...['workflows', 'workflow_executions', 'job_messages'],
].map((table) => `interlock.${table}`)
const sequences = [
  'interlock_test.seconds',
  'interlock.incarnations',
  'interlock.grant_numbers',
  'interlock.job_numbers',
  'interlock.message_numbers',
]

/** What reset() leaves, and what prune_history() and ensure_partitions() find or make. */
const resetMore = `
  create or replace function interlock_test.reset_more() returns void
  language plpgsql
  set client_min_messages = warning
  as $$
  begin
    delete from interlock.job_output;
    delete from interlock.workflows;
    delete from interlock.workflow_executions;
    delete from interlock.job_messages;
    delete from interlock.job_dependencies;
    delete from interlock.job_dependency_touches;
    insert into interlock.queues (name) values ('default');
    ${locksOfTheSchema};
    perform setval('interlock.job_numbers', 1, false);
    perform setval('interlock.message_numbers', 1, false);
  end
  $$`

const resetPartitions = `
  create or replace function interlock_test.reset_partitions() returns void
  language plpgsql
  set client_min_messages = warning
  as $$
  begin
    if to_regclass('interlock.job_queue_log_20300101') is not null then
      drop table interlock.job_queue_log_20300101;
    end if;
    if to_regclass('interlock.job_queue_log_20291201') is null then
      create table interlock.job_queue_log_20291201 partition of interlock.job_queue_log
        for values from ('2029-12-01 00:00+00') to ('2029-12-02 00:00+00');
    end if;
  end
  $$`

const copyOf = (scene: string, table: string) => `interlock_test.${scene}_${table.replace('.', '_')}`

/** Builds every scene once by its verbs, and keeps a copy of it: that is put back in a tenth of the time. */
export function sceneSteps(): readonly string[] {
  return [
    resetMore,
    resetPartitions,
    'select interlock_test.reset_partitions()',
    ...Object.entries(scenes).flatMap(([name, statements]) => [
      ...statements.map((statement) => `select ${statement}`),
      ...[...kept, ...sequences].map((table) => `create table ${copyOf(name, table)} as table ${table}`),
      `create or replace function interlock_test.scene_${name}() returns void language plpgsql as $$
       begin
         perform interlock_test.reset_partitions();
         delete from graphile_worker._private_jobs;
         ${kept.map((table) => `delete from ${table}; insert into ${table} overriding system value table ${copyOf(name, table)};`).join('\n')}
         ${sequences.map((sequence) => `perform setval('${sequence}', s.last_value, s.is_called) from ${copyOf(name, sequence)} as s;`).join('\n')}
       end
       $$`,
    ]),
  ]
}
