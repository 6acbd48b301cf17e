// What a run begins with.

import fc from 'fast-check'
import type { Setting } from '../property/setting.ts'
import type { Stage } from '../property/stage.ts'
import { queueNames, registerAgent } from './agent-rules.ts'
import { setQueue } from './lane-rules.ts'
import { setLimit } from './limit-rules.ts'
import { locksAgent } from './model.ts'
import { Run } from './run.ts'

export interface Beginning {
  readonly scheduling: 'fair' | 'fifo'
  readonly patienceSeconds: string
  readonly limits: readonly (readonly [pattern: string, capacity: number | null, startsPerMinute?: number])[]
}

export const beginnings: fc.Arbitrary<Beginning> = fc.record({
  scheduling: fc.constantFrom('fair' as const, 'fifo' as const),
  patienceSeconds: fc.constantFrom('0', '5', '50', 'Infinity'),
  limits: fc.constantFrom(
    [],
    [],
    [['user:*', null] as const],
    [['model:*', 2] as const, ['user:a', 2] as const],
    [['limit:all', 3] as const],
    [['model:*', 1, 4] as const, ['limit:all', null, 12] as const],
    [['task:build', 2] as const, ['queue:default', 3] as const],
  ),
})

/** For the checks of the property test, which ask a setting. */
export const setting: Setting = {
  seed: 1,
  steps: 0,
  keys: [],
  keysOfAJob: 3,
  tasks: ['build', 'test'],
  queues: queueNames,
  levels: ['autonomous', 'supervised'],
  scheduling: 'fair',
  patienceSeconds: 0,
  isCounted: true,
  limits: [],
  hasTicks: true,
  agents: [],
  pauses: 0,
  crashes: 0,
  focus: null,
}

/** What the schema comes with, for manual locks. But for the lease, which does not end: an older server cannot reckon with that. */
export const locksOfTheSchema = `
  with queue as (
    insert into interlock.queues (name, tasks, scheduling, patience_seconds, ttl_seconds, max_attempts, retry_delays_seconds)
    values ('locks', '{}', 'fifo', 0, 0, 1, '{}')
  )
  insert into interlock.agent_stats
    (id, name, incarnation, queues, permission_levels, routes, slots, lease_seconds, lease_until, registered_at, last_heartbeat_at, server_started_at)
  values ('${locksAgent}', 'locks', 0, '{locks}', '{autonomous}', '{locks/autonomous}', 10000, 1, '2130-01-01+00', '2030-01-01+00', '2030-01-01+00', '2030-01-01+00')`

/** An empty database, but for its queues and two agents. */
export async function begin(stage: Stage, { scheduling, patienceSeconds, limits }: Beginning): Promise<Run> {
  stage.transcript.length = 0
  await stage.look('select interlock_test.reset()')
  await stage.look('delete from interlock.job_messages')
  await stage.look(`select setval('interlock.job_numbers', 1, false)`)
  await stage.look('insert into interlock.queues (name) select unnest($1::text[])', [queueNames])
  await stage.look(locksOfTheSchema)
  const run = await Run.begin(setting, stage)
  const [session] = stage.sessions
  if (session === undefined) throw new Error('there is no session')
  const policy = { scheduling, patience_seconds: patienceSeconds, priority_step_seconds: 20 }
  for (const name of queueNames) await run.perform(session, setQueue(name, policy))
  for (const [pattern, capacity, startsPerMinute = null] of limits)
    await run.perform(session, setLimit(pattern, capacity, { startsPerMinute }))
  for (const name of ['worker', 'other']) {
    const levels = ['autonomous', 'supervised']
    await run.perform(session, registerAgent({ name, queues: queueNames, levels, slots: 1000, leaseSeconds: 3600 }))
  }
  return run
}
