import { beforeEach, describe, expect, test } from 'vitest'
import { Dispatcher } from '../../src/coordinator/dispatcher.ts'
import { Ticker } from '../../src/coordinator/ticker.ts'
import { checkLockRequest } from '../../src/domain/lock-request.ts'
import { createSilentLogger } from '../../src/observability/logger.ts'
import { acquireAndWait } from '../../src/store/lock-wait.ts'
import { extendLock, releaseByKey } from '../../src/store/locks.ts'
import { type Assigned, EngineWorld } from './engine-world.ts'

interface Polled {
  readonly state: 'waiting' | 'held' | 'ended'
  readonly token: number | null
  readonly fences: Readonly<Record<string, number>> | null
  readonly lease_until: Date | null
  readonly reason: string | null
}

interface LockOptions {
  readonly owner?: string
  readonly lease?: number
  readonly wait?: number
  readonly priority?: number
}

let world: EngineWorld
beforeEach(async () => {
  world = await EngineWorld.create()
})

async function acquire(resources: readonly string[], options: LockOptions = {}): Promise<string> {
  const [row] = await world.query<{ lock_id: string; status: string }>(
    'select * from interlock.acquire_lock($1, $2, $3, $4, $5)',
    [resources, options.owner ?? 'ann', options.lease ?? 60, options.wait ?? 30, options.priority ?? 2],
  )
  expect(row?.status).toBe('pending')
  return row?.lock_id ?? ''
}

async function poll(lock: string, owner = 'ann'): Promise<Polled> {
  const [row] = await world.query<Polled>('select * from interlock.poll_lock($1, $2)', [lock, owner])
  if (row === undefined) throw new Error('poll_lock returned no row')
  return row
}

/** What a coordinator does for locks. */
const grant = (): Promise<readonly string[]> => world.claimedIds(100, 'locks.0')

async function hold(
  resources: readonly string[],
  options: LockOptions = {},
): Promise<Polled & { id: string; token: number }> {
  const id = await acquire(resources, options)
  expect(await grant()).toEqual([id])
  const polled = await poll(id, options.owner)
  expect(polled.state).toBe('held')
  return { ...polled, id, token: polled.token ?? 0 }
}

async function expire(): Promise<number> {
  let ended = 0
  for (;;) {
    const [row] = await world.query<{ ended: number; lapsed: number }>('select * from interlock.expire_locks()')
    ended += row?.ended ?? 0
    if (row?.lapsed === 0) return ended
  }
}

const locks = (): Promise<Record<string, unknown>[]> =>
  world.query(`select resource, state, kind, job_id, owner, fence from interlock.locks order by resource, slot`)

const historyOf = async (id: string): Promise<string> => {
  const [row] = await world.query<{ outcome: string; reason: string | null }>(
    'select outcome, reason from interlock.task_history where job_id = $1',
    [id],
  )
  return `${row?.outcome}: ${row?.reason}`
}

describe('acquire_lock', () => {
  test('keeps the jobs of a user out until the lock is released, and hands out token and fences', async () => {
    const lock = await hold(['user:alice', 'model:flux'])
    expect(lock.fences).toEqual({ 'user:alice': lock.token, 'model:flux': lock.token })
    await world.enqueue({ id: 'job', user: 'alice' }, { id: 'other', user: 'bob' })
    expect(await world.claimedIds()).toEqual(['other'])
    expect(await world.query('select * from interlock.release_lock($1, $2)', [lock.id, lock.token])).toEqual([
      { status: 'released' },
    ])
    const [job] = await world.claim()
    expect(job?.job_id).toBe('job')
    expect(job?.fences['user:alice']).toBeGreaterThan(lock.token)
    expect(await historyOf(lock.id)).toBe('completed: null')
    expect(await world.timeline(lock.id)).toEqual(['enqueued', 'assigned', 'started', 'completed'])
  })

  test('waits for a running job, is explained, and has it when the job ends', async () => {
    await world.enqueue({ id: 'job', user: 'alice' })
    const [job] = await world.claim()
    const lock = await acquire(['user:alice'])
    expect(await grant()).toEqual([])
    expect(await poll(lock)).toMatchObject({ state: 'waiting', token: null, fences: null })
    const [why] = await world.query<{ sentence: string }>(
      `select interlock.explain_job($1) ->> 'sentence' as sentence`,
      [lock],
    )
    expect(why?.sentence).toContain('waits for user:alice, held by job job of alice')
    await world.complete(job as Assigned)
    expect(await grant()).toEqual([lock])
    expect(await poll(lock)).toMatchObject({ state: 'held' })
  })

  test('waits in line: behind the jobs that were there before it, and no job that came later overtakes it', async () => {
    await world.enqueue({ id: 'first', user: 'alice' })
    const [first] = await world.claim()
    await world.enqueue({ id: 'second', user: 'alice' })
    await world.absorb()
    const lock = await acquire(['user:alice'])
    await world.enqueue({ id: 'third', user: 'alice', task: 'other' })
    expect(await grant()).toEqual([])
    expect(await world.claimedIds()).toEqual([])
    await world.complete(first as Assigned)
    const [second] = await world.claim()
    expect(second?.job_id).toBe('second')
    expect(await grant()).toEqual([])
    await world.complete(second as Assigned)
    // The agent that has finished comes first, before anybody has heard of the lock.
    expect(await world.claimedIds()).toEqual([])
    expect(await grant()).toEqual([lock])
    await world.query('select interlock.release_lock($1)', [lock])
    expect(await world.claimedIds()).toEqual(['third'])
  })

  test('a lock of high priority comes before the jobs that waited already', async () => {
    await world.enqueue({ id: 'first', user: 'alice' })
    const [first] = await world.claim()
    await world.enqueue({ id: 'second', user: 'alice' })
    expect(await world.claimedIds()).toEqual([])
    const lock = await acquire(['user:alice'], { priority: 0 })
    expect(await grant()).toEqual([])
    await world.complete(first as Assigned)
    expect(await world.claimedIds()).toEqual([])
    expect(await grant()).toEqual([lock])
  })

  test('takes all or none, a slot of what is counted, and nothing of what is unlimited', async () => {
    await world.query(`select interlock.set_limit('model:flux', 2, false)`)
    await world.query(`select interlock.set_limit('disk:*', null, false)`)
    const one = await hold(['model:flux', 'disk:a'])
    expect(one.fences).toEqual({ 'model:flux': one.token })
    const two = await hold(['model:flux'])
    const both = await acquire(['model:flux', 'gpu:1'])
    expect(await grant()).toEqual([])
    expect((await locks()).map((row) => [row.resource, row.state, row.job_id])).toEqual([
      ['gpu:1', 'reserved', both],
      ['model:flux', 'held', one.id],
      ['model:flux', 'held', two.id],
    ])
    await world.query('select interlock.release_lock($1, $2)', [one.id, one.token])
    expect(await grant()).toEqual([both])
  })

  test.each([
    ['resources', [[], 'ann', 60, 30, 2, null]],
    ['resources', [['alice'], 'ann', 60, 30, 2, null]],
    ['resources', [['user:*'], 'ann', 60, 30, 2, null]],
    ['resources', [[null], 'ann', 60, 30, 2, null]],
    ['resources', [Array.from({ length: 32 }, (_, n) => `gpu:${n}`), 'ann', 60, 30, 2, null]],
    ['owner', [['user:a'], '', 60, 30, 2, null]],
    ['owner', [['user:a'], null, 60, 30, 2, null]],
    ['owner', [['user:a'], 'a\nb', 60, 30, 2, null]],
    ['lease_seconds', [['user:a'], 'ann', 0, 30, 2, null]],
    ['lease_seconds', [['user:a'], 'ann', 86_401, 30, 2, null]],
    ['wait_seconds', [['user:a'], 'ann', 60, 0, 2, null]],
    ['priority', [['user:a'], 'ann', 60, 30, 3.5, null]],
    ['priority', [['user:a'], 'ann', 60, 30, 'NaN', null]],
    ['reason', [['user:a'], 'ann', 60, 30, 2, 'x'.repeat(4097)]],
  ])('names the field %s that is wrong, and writes nothing (%#)', async (field, values) => {
    expect(await world.refusal('select interlock.acquire_lock($1, $2, $3, $4, $5, $6)', values)).toEqual({
      code: 'invalid_argument',
      field,
    })
    expect(await world.query('select id from interlock.jobs')).toEqual([])
  })

  test('is no work: a limit of everything does not count it', async () => {
    await world.query(`select interlock.set_limit('limit:all', 1)`)
    await hold(['user:bob'])
    await world.enqueue({ id: 'job', user: 'alice' })
    expect(await world.claimedIds()).toEqual(['job'])
    expect(await world.violations()).toEqual([])
  })

  test('is the only way into its queue, and no process may serve it or pass for its agent', async () => {
    expect(await world.refusal('select interlock.enqueue_jobs($1)', ['[{"task": "lock", "queue": "locks"}]'])).toEqual({
      code: 'unknown_task',
      field: 'task',
    })
    expect(await world.refusal(`select interlock.set_queue('locks', '{"tasks": null}')`)).toMatchObject({
      field: 'tasks',
    })
    for (const [field, call] of [
      ['name', `register_agent('locks', '{default}', 1)`],
      ['queues', `register_agent('mine', '{default,locks}', 1)`],
    ])
      expect(await world.refusal(`select interlock.${call}`), call).toEqual({ code: 'invalid_argument', field })
    for (const call of [
      `drain_agent('locks.0')`,
      `end_agent('locks.0')`,
      `sweep_agent('locks.0')`,
      `heartbeat_agent('locks.0', '{}', '{}')`,
    ])
      expect(await world.refusal(`select interlock.${call}`), call).toMatchObject({ code: 'not_permitted' })
  })

  test('the agent in whose name locks are held is in no list and never lost', async () => {
    await hold(['user:alice'])
    await world.test.advanceClock(3000)
    expect(await world.query('select * from interlock.lost_agents()')).toEqual([])
    const [row] = await world.query<{ status: { agents: object; active_jobs: object[] } }>(
      'select interlock.queue_snapshot() as status',
    )
    expect(row?.status.agents).toMatchObject({ total: 1, busy: 0, slots: 100 })
    expect(row?.status.active_jobs).toMatchObject([{ job_type: 'lock', user: 'ann' }])
  })
})

describe('the lease of a lock', () => {
  test('ends the lock of an owner that does not extend it, and who waits has it then', async () => {
    const lock = await hold(['user:alice'], { lease: 60 })
    await world.enqueue({ id: 'job', user: 'alice' })
    await world.test.advanceClock(59)
    expect(await expire()).toBe(0)
    expect(await world.claimedIds()).toEqual([])
    await world.test.advanceClock(2)
    expect(await poll(lock.id)).toMatchObject({ state: 'ended', token: null })
    expect(await expire()).toBe(1)
    expect(await world.claimedIds()).toEqual(['job'])
    expect(await historyOf(lock.id)).toBe('expired: its owner did not extend it in time')
    expect(await poll(lock.id)).toMatchObject({
      state: 'ended',
      reason: 'expired: its owner did not extend it in time',
    })
  })

  test('extend_lock moves it on from now, for as long as before unless it says otherwise', async () => {
    const lock = await hold(['user:alice'], { lease: 60 })
    await world.test.advanceClock(50)
    await world.query('select * from interlock.extend_lock($1, $2)', [lock.id, lock.token])
    await world.test.advanceClock(50)
    expect(await expire()).toBe(0)
    await world.query('select * from interlock.extend_lock($1, $2, 600)', [lock.id, lock.token])
    await world.test.advanceClock(500)
    expect(await expire()).toBe(0)
    expect(await poll(lock.id)).toMatchObject({ state: 'held', token: lock.token })
    await world.test.advanceClock(101)
    expect(await expire()).toBe(1)
  })

  test('once it is over it is extended no more, although nobody has taken the lock away yet', async () => {
    const lock = await hold(['user:alice'], { lease: 5 })
    await world.test.advanceClock(6)
    const extend = 'select * from interlock.extend_lock($1, $2, $3)'
    expect(await world.refusal(extend, [lock.id, lock.token, 60])).toEqual({ code: 'stale_token', field: 'token' })
    await expire()
    expect(await world.refusal(extend, [lock.id, lock.token, 60])).toMatchObject({ code: 'stale_token' })
    expect(await world.refusal(extend, [lock.id, lock.token, 0])).toEqual({
      code: 'invalid_argument',
      field: 'lease_seconds',
    })
    expect(await world.refusal(extend, ['nothing', 1, 60])).toEqual({ code: 'job_not_found', field: 'job_id' })
  })

  test('an extension that is under way wins over expire_locks, which does not wait for it', async () => {
    const lock = await hold(['user:alice'], { lease: 5 })
    const owner = await world.test.database.connect()
    await owner.query('begin')
    await owner.query('select * from interlock.extend_lock($1, $2, 60)', [lock.id, lock.token])
    await world.test.advanceClock(6)
    expect(await expire()).toBe(0)
    await owner.query('commit')
    await owner.close()
    expect(await expire()).toBe(0)
    expect(await poll(lock.id)).toMatchObject({ state: 'held', token: lock.token })
  })

  test('begins when the owner hears of the grant: who polls no more is given up, waiting or granted', async () => {
    const granted = await acquire(['user:alice'], { wait: 30 })
    expect(await grant()).toEqual([granted])
    const waiting = await acquire(['user:alice'], { wait: 30 })
    const patient = await acquire(['user:alice'], { wait: 30, owner: 'bob' })
    expect(await grant()).toEqual([])
    // Longer than an agent may take to confirm a start: that rule is not for locks.
    await world.test.advanceClock(20)
    expect(await world.query('select * from interlock.stuck_claims()')).toEqual([])
    expect(await poll(patient, 'bob')).toMatchObject({ state: 'waiting' })
    await world.test.advanceClock(11)
    expect(await expire()).toBe(2)
    expect(await historyOf(granted)).toBe('expired: its owner asked for it no more')
    expect(await historyOf(waiting)).toBe('expired: its owner asked for it no more')
    expect(await grant()).toEqual([patient])
    expect(await poll(patient, 'bob')).toMatchObject({ state: 'held' })
  })
})

describe('poll_lock', () => {
  test('answers nobody but its owner, and names what never was', async () => {
    const lock = await hold(['user:alice'])
    const text = 'select * from interlock.poll_lock($1, $2)'
    expect(await world.refusal(text, [lock.id, 'bob'])).toEqual({ code: 'not_held', field: 'owner' })
    expect(await world.refusal(text, ['nothing', 'ann'])).toEqual({ code: 'job_not_found', field: 'lock_id' })
    await world.enqueue({ id: 'job', user: 'bob' })
    expect(await world.refusal(text, ['job', 'bob'])).toMatchObject({ code: 'job_not_found' })
  })

  test('a lock that was asked to end is extended no more, and the tick releases it', async () => {
    const lock = await hold(['user:alice'])
    expect(
      await world.query(`select * from interlock.cancel_job($1, 'maintenance is over', 'eve')`, [lock.id]),
    ).toEqual([{ status: 'cancelling' }])
    expect(await poll(lock.id)).toMatchObject({ state: 'ended', reason: 'maintenance is over' })
    expect(await world.refusal('select interlock.extend_lock($1, $2)', [lock.id, lock.token])).toMatchObject({
      code: 'stale_token',
    })
    expect(await expire()).toBe(1)
    expect(await historyOf(lock.id)).toBe('cancelled: maintenance is over')
  })
})

describe('release_lock', () => {
  test('refuses a token that is not the one, and a second release', async () => {
    const lock = await hold(['user:alice'])
    const text = 'select * from interlock.release_lock($1, $2)'
    expect(await world.refusal(text, [lock.id, lock.token - 1])).toEqual({ code: 'stale_token', field: 'token' })
    expect(await world.status(lock.id)).toBe('running')
    await world.query(text, [lock.id, lock.token])
    expect(await world.refusal(text, [lock.id, lock.token])).toEqual({ code: 'stale_token', field: 'token' })
    expect(await world.refusal(text, [lock.id, null])).toEqual({ code: 'not_held', field: 'lock_id' })
    expect(await world.refusal(text, ['nothing', null])).toEqual({ code: 'job_not_found', field: 'lock_id' })
  })

  test('without a token it takes a waiting lock out of the line and a held one from its owner', async () => {
    const held = await hold(['user:alice'])
    const waiting = await acquire(['user:alice'])
    await world.enqueue({ id: 'job', user: 'alice' })
    expect(await grant()).toEqual([])
    expect(await world.query('select * from interlock.release_lock($1)', [waiting])).toEqual([{ status: 'withdrawn' }])
    expect(
      await world.query(`select * from interlock.release_lock($1, null, 'night shift', 'eve')`, [held.id]),
    ).toEqual([{ status: 'released' }])
    // The one that left was next in line: its place is given up by whoever looks at the line of locks.
    expect(await grant()).toEqual([])
    expect(await world.claimedIds()).toEqual(['job'])
    expect(await historyOf(held.id)).toBe('cancelled: night shift')
    expect(await world.refusal('select interlock.extend_lock($1, $2)', [held.id, held.token])).toMatchObject({
      code: 'stale_token',
    })
  })

  test('does not end a job', async () => {
    await world.enqueue({ id: 'job', user: 'alice' })
    await world.claim()
    expect(await world.refusal(`select * from interlock.release_lock('job')`)).toEqual({
      code: 'not_held',
      field: 'lock_id',
    })
  })
})

describe('release_resource', () => {
  const release = 'select * from interlock.release_resource($1, $2, $3, $4)'

  test('stops a running job first: what it holds is free when its process is confirmed gone, not before', async () => {
    await world.enqueue({ id: 'job', user: 'alice' })
    const [job] = await world.claim()
    await world.start(job as Assigned)
    const lock = await acquire(['user:alice'])
    expect(await world.query(release, ['user:alice', 'job', 'it hangs', 'eve'])).toEqual([
      { job_id: 'job', kind: 'job', status: 'cancelling' },
    ])
    expect(await grant()).toEqual([])
    expect(await poll(lock)).toMatchObject({ state: 'waiting' })
    await world.query('select interlock.confirm_cancel($1, $2)', ['job', job?.token])
    expect(await historyOf('job')).toBe('cancelled: it hangs')
    expect(await grant()).toEqual([lock])
  })

  test('releases a manual lock at once, with all that it holds', async () => {
    const lock = await hold(['user:alice', 'model:flux'])
    expect(await world.query(release, ['model:flux', null, null, null])).toEqual([
      { job_id: lock.id, kind: 'lock', status: 'released' },
    ])
    expect(await locks()).toEqual([])
    expect(await historyOf(lock.id)).toBe('cancelled: model:flux was released by force')
  })

  test('takes a counted resource from all its holders, or from the one that is named', async () => {
    await world.query(`select interlock.set_limit('model:flux', 3, false)`)
    const lock = await hold(['model:flux'])
    await world.enqueue({ id: 'one', models: ['flux'] }, { id: 'two', models: ['flux'] })
    expect(await world.claimedIds()).toEqual(['one', 'two'])
    expect(await world.query(release, ['model:flux', 'two', null, null])).toEqual([
      { job_id: 'two', kind: 'job', status: 'cancelling' },
    ])
    expect(await world.query(release, ['model:flux', null, null, null])).toEqual([
      { job_id: lock.id, kind: 'lock', status: 'released' },
      { job_id: 'one', kind: 'job', status: 'cancelling' },
      { job_id: 'two', kind: 'job', status: 'cancelling' },
    ])
  })

  test('refuses what is not held, or not by the one that is named', async () => {
    expect(await world.refusal(release, ['user:alice', null, null, null])).toEqual({
      code: 'not_held',
      field: 'resource',
    })
    expect(await world.refusal(release, ['alice', null, null, null])).toEqual({
      code: 'invalid_argument',
      field: 'resource',
    })
    await hold(['user:alice'])
    expect(await world.refusal(release, ['user:alice', '123', null, null])).toEqual({
      code: 'not_held',
      field: 'job_id',
    })
  })
})

describe('sweep_locks', () => {
  test('releases the locks held for longer, tells of jobs, and with dry_run only tells', async () => {
    const old = await hold(['user:alice'], { lease: 86_400 })
    await world.enqueue({ id: 'job', user: 'carol' })
    await world.claim()
    await world.test.advanceClock(3601)
    const young = await hold(['user:bob'])
    const sweep = (dryRun: boolean) =>
      world.query('select job_id, kind, resources, owner, status from interlock.sweep_locks(3600, $1)', [dryRun])
    const job = { job_id: 'job', kind: 'job', resources: ['user:carol'], owner: 'carol', status: 'running' }
    const lock = { job_id: old.id, kind: 'lock', resources: ['user:alice'], owner: 'ann' }
    expect(await sweep(true)).toEqual([{ ...lock, status: 'held' }, job])
    expect(await poll(old.id)).toMatchObject({ state: 'held' })
    expect(await sweep(false)).toEqual([{ ...lock, status: 'released' }, job])
    expect(await historyOf(old.id)).toBe('cancelled: swept: held longer than 60 minutes')
    expect(await poll(young.id)).toMatchObject({ state: 'held' })
    expect(await sweep(false)).toEqual([job])
    expect(await world.refusal('select interlock.sweep_locks(-1)')).toEqual({
      code: 'invalid_argument',
      field: 'older_than_seconds',
    })
  })
})

test('the view locks shows each slot with who holds it, jobs and locks alike, and the fence under which they do', async () => {
  const lock = await hold(['user:alice'])
  await world.enqueue({ id: 'job', user: 'bob', models: ['flux'] })
  const [job] = await world.claim()
  expect(await locks()).toEqual([
    { resource: 'model:flux', state: 'held', kind: 'job', job_id: 'job', owner: 'bob', fence: job?.token },
    { resource: 'user:alice', state: 'held', kind: 'lock', job_id: lock.id, owner: 'ann', fence: lock.token },
    { resource: 'user:bob', state: 'held', kind: 'job', job_id: 'job', owner: 'bob', fence: job?.token },
  ])
})

test('a coordinator grants by itself, and its tick ends the lock of an owner that is gone and has the next one started', async () => {
  const { database } = world.test
  const dispatcher = new Dispatcher({ database })
  const ticker = new Ticker({ database, dispatcher, logger: createSilentLogger() })
  const lock = await acquire(['user:alice'], { lease: 30 })
  await world.enqueue({ id: 'job', user: 'alice' })
  expect(await dispatcher.dispatch('locks/autonomous')).toBe(1)
  expect(await poll(lock)).toMatchObject({ state: 'held' })
  await ticker.tick()
  expect(await world.status('job')).toBe('pending')
  await world.test.advanceClock(31)
  await ticker.tick()
  expect(await world.timeline(lock)).toEqual(['enqueued', 'assigned', 'started', 'expired'])
  expect(await world.status('job')).toBe('assigned')
})

test('several owners and an agent at the same resources: one at a time, under rising fences, and each has its turn', async () => {
  const { database } = world.test
  let inside = 0
  let left = 5
  const fences: number[] = []
  async function use(fence: number | undefined, work: () => Promise<unknown>): Promise<void> {
    inside += 1
    expect(inside).toBe(1)
    fences.push(fence ?? 0)
    await work()
    inside -= 1
  }
  async function own(owner: string): Promise<void> {
    for (let turn = 0; turn < 3; turn++) {
      const request = checkLockRequest({ resources: ['user:alice', 'model:flux'], owner, wait_seconds: 60 })
      const lock = await acquireAndWait(database, request, {})
      await use(lock.fences['user:alice'], () => extendLock(database, lock.lock_id, lock.token, 60))
      await releaseByKey(database, lock.lock_id, { token: lock.token })
    }
    left -= 1
  }
  await world.enqueue(...Array.from({ length: 15 }, (_, n) => ({ id: `job-${n}`, user: 'alice' })))
  async function work(): Promise<void> {
    for (let done = 0; done < 15 || left > 0; ) {
      for (const job of await world.claim(1)) {
        await use(job.fences['user:alice'], () => world.start(job))
        await world.complete(job)
        done += 1
      }
    }
  }
  await Promise.all([work(), ...['a', 'b', 'c', 'd', 'e'].map(own)])
  expect(fences).toHaveLength(30)
  expect(fences).toEqual([...fences].sort((one, other) => one - other))
}, 60_000)
