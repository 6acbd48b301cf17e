// The scenes in which two verbs meet: in each of them one job, `j` of alice on flux, is in the state that some verbs are for,
// its lane and its resources are in the state that goes with it, and `k` (alice's too) and `m` (bob's on flux) wait beside it.
// In the scenes of manual locks a lock of alice and flux, `a1` of ann, is in the place of that job.

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
  `interlock.apply_workflow('{"id": "w", "task": "work", "steps": [{"name": "draw", "default_model": "flux"}]}')`,
  `interlock.register_agent('worker', '{default}', 100, p_lease_seconds => 600)`,
  `interlock.register_agent('other', '{default}', 100, p_lease_seconds => 3600)`,
]
const assigned = [...empty, enqueue('j'), ...others, claim(100), claim(100)]
const running = [...assigned, `interlock.start_jobs('{j}', '{1}')`]
const lent = [
  ...running,
  `interlock.ask('j', 1, '{"message": "Shall it?", "release_models": true, "expires_in_seconds": 60}')`,
]
const recalled = [...lent, `interlock.answer_request('q-a1', '{"message": "It shall."}')`]
const untold = [...running, enqueue('c', ', "depends_on": ["j"], "ttl_seconds": 0')]
const struck = [
  ...running,
  `interlock.set_schedule('s', '{"cron": "* * * * *", "job": {"task": "work", "queue": "default", "user": "alice", "retry_delays_seconds": [3], "ttl_seconds": 0}}')`,
  `interlock.fire_schedule('s', 1, '{}', '2030-01-01 00:00+00')`,
]
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
  suspended: [...running, `interlock.suspend_agent('worker.1')`],
  scheduled: [...empty, enqueue('j', ', "delay_seconds": 5'), ...others, later(10)],
  paused: [...empty, enqueue('j', ', "start": false'), ...others],
  unapproved: [...empty, enqueue('j', ', "permission_level": "human_required"'), ...others],
  executing: [
    ...empty,
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
  // It has asked a person; then it has given back its model, was answered, and its companion is in line, or at its turn.
  asking: [...running, `interlock.ask('j', 1, '{"message": "Shall it?"}')`],
  lent,
  recalled,
  returning: [...recalled, absorb, grant],
  overdue: [...lent, later(100)],
  // A schedule `s`, of whose slots the first has come.
  struck,
  resting: [...struck, `interlock.pause_schedule('s')`],
  idle: [...empty, enqueue('j'), absorb, claim(1), `interlock.complete_jobs('{j}', '{1}')`, later(100)],
} as const satisfies Record<string, readonly string[]>
