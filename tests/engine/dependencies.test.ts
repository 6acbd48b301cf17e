import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Database } from '../../src/store/database.ts'
import { waitFor } from '../support/wait-for.ts'
import { EngineWorld } from './engine-world.ts'

let world: EngineWorld

beforeAll(async () => {
  world = await EngineWorld.create()
})
beforeEach(async () => {
  await world.query(`
    truncate interlock.jobs, interlock.job_lanes, interlock.job_queue_state, interlock.job_dependencies,
      interlock.job_dependency_touches, interlock.job_lane_touches, interlock.task_history, interlock.job_results`)
  await world.query('update interlock.agent_stats set active_jobs = 0')
})

/** The tick's part of it. */
async function settle(): Promise<number> {
  let told = 0
  for (;;) {
    const [row] = await world.query<{ told: number; more: boolean }>('select * from interlock.settle_dependents()')
    told += row?.told ?? 0
    if (row?.more !== true) return told
  }
}

async function finish(id: string): Promise<void> {
  const jobs = await world.claim()
  const job = jobs.find((one) => one.job_id === id)
  if (job === undefined) throw new Error(`${id} was not claimed, but ${jobs.map((one) => one.job_id)}`)
  await world.complete(job)
}

const statuses = (...ids: string[]) => Promise.all(ids.map((id) => world.status(id)))
const sentence = async (id: string): Promise<string> => {
  const [row] = await world.query<{ sentence: string }>(`select interlock.explain_job($1) ->> 'sentence' as sentence`, [
    id,
  ])
  return row?.sentence ?? ''
}

describe('a job that depends on others', () => {
  it('of its batch is deferred, and starts with the end of the last one, in the transaction of that end', async () => {
    await world.enqueue({ id: 'a' }, { id: 'b' }, { id: 'c', depends_on: ['a', 'b', 'a'] })
    expect(await statuses('a', 'b', 'c')).toEqual(['pending', 'pending', 'deferred'])
    const [a, b] = await world.claim()
    if (a === undefined || b === undefined) throw new Error('both were to be claimed')
    await world.complete(a)
    expect(await world.status('c')).toBe('deferred')
    expect(await sentence('c')).toBe('Job c waits for job b, which was given to an agent.')
    await world.complete(b)
    expect(await world.status('c')).toBe('pending')
    expect(await world.timeline('c')).toEqual(['enqueued', 'ready'])
    await finish('c')
  })

  it('of jobs that were there before is told by the tick, whether they live or ended meanwhile', async () => {
    await world.enqueue({ id: 'a' }, { id: 'b' })
    await world.enqueue({ id: 'c', depends_on: ['a'] }, { id: 'd', depends_on: ['b'] })
    const [a, b] = await world.claim()
    if (a === undefined || b === undefined) throw new Error('both were to be claimed')
    await world.complete(a)
    expect(await world.status('c')).toBe('deferred')
    await settle()
    expect(await world.status('c')).toBe('pending')
    await world.complete(b)
    expect(await world.status('d')).toBe('pending')
  })

  it('of what has completed long ago waits for nobody', async () => {
    await world.enqueue({ id: 'a' })
    await finish('a')
    await world.enqueue({ id: 'c', depends_on: ['a'] }, { id: 'd', depends_on: [] })
    expect(await statuses('c', 'd')).toEqual(['pending', 'pending'])
    expect(await world.query('select parent_id, parent_outcome from interlock.job_dependencies')).toEqual([
      { parent_id: 'a', parent_outcome: 'completed' },
    ])
  })

  it('becomes scheduled where its run_at lies ahead, and paused where it was added without starting', async () => {
    await world.enqueue(
      { id: 'a' },
      { id: 'later', depends_on: ['a'], delay_seconds: 600 },
      { id: 'held', depends_on: ['a'], start: false },
    )
    expect(await statuses('later', 'held')).toEqual(['deferred', 'deferred'])
    await finish('a')
    expect(await statuses('later', 'held')).toEqual(['scheduled', 'paused'])
    await world.test.advanceClock(601)
    await world.query('select interlock.promote_due_jobs()')
    await world.query(`select interlock.start_paused_job('held')`)
    expect(await statuses('later', 'held')).toEqual(['pending', 'pending'])
  })

  it('does not expire while it is deferred: its time to live counts from the end of the last parent', async () => {
    await world.enqueue({ id: 'a', ttl_seconds: 0 }, { id: 'c', depends_on: ['a'], ttl_seconds: 60 })
    await world.test.advanceClock(100)
    expect(await world.query('select interlock.expire_jobs() as n')).toEqual([{ n: 0 }])
    await finish('a')
    await world.test.advanceClock(59)
    expect(await world.query('select interlock.expire_jobs() as n')).toEqual([{ n: 0 }])
    await world.test.advanceClock(2)
    expect(await world.query('select interlock.expire_jobs() as n')).toEqual([{ n: 1 }])
    expect(await world.status('c')).toBe('expired')
  })
})

describe('a parent that ends otherwise', () => {
  const ends: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['cancelled', () => world.query(`select interlock.cancel_job('a')`)],
    ['deleted', () => world.query(`select interlock.delete_job('a')`)],
    [
      'expired',
      async () => {
        await world.query(`update interlock.jobs set expires_at = interlock.clock() where id = 'a'`)
        await world.query('select interlock.expire_jobs()')
      },
    ],
    [
      'cancelled',
      async () => {
        const [job] = await world.claim()
        await world.query(`select interlock.cancel_job('a')`)
        await world.query(`select interlock.confirm_cancel('a', $1)`, [job?.token])
      },
    ],
    [
      'cancelled',
      async () => {
        const job = (await world.claim())[0] as never
        await world.query(`select interlock.cancel_job('a')`)
        await world.fail(job)
      },
    ],
    [
      'cancelled',
      async () => {
        const [job] = await world.claim()
        await world.query(`select interlock.cancel_job('a')`)
        await world.query(`select interlock.return_jobs(array['a'], array[$1::bigint], 'stopped')`, [job?.token])
      },
    ],
    [
      'cancelled',
      async () => {
        const agent = await world.register('dying')
        await world.claim(1, agent)
        await world.query(`select interlock.cancel_job('a')`)
        await world.query('select interlock.end_agent($1)', [agent])
      },
    ],
  ]
  it.each(ends.map(([outcome, end], n) => [n, outcome, end] as const))(
    '(%i, %s) cancels its children with a reason that names it, down the chain; those that take any end go on',
    async (_n, outcome, end) => {
      await world.enqueue(
        { id: 'a', max_attempts: 1 },
        { id: 'b', depends_on: ['a'] },
        { id: 'c', depends_on: ['b'] },
        { id: 'x', depends_on: ['a'], depends_on_outcome: 'any' },
        { id: 'y', depends_on: ['c', 'x'], depends_on_outcome: 'any' },
      )
      await end()
      await settle()
      expect(await statuses('a', 'b', 'c', 'x', 'y')).toEqual([
        outcome,
        'cancelled',
        'cancelled',
        'pending',
        'deferred',
      ])
      expect(
        await world.query(`select reason from interlock.task_history where job_id in ('b', 'c') order by job_id`),
      ).toEqual([
        { reason: `it depends on job a, which was ${outcome}` },
        { reason: 'it depends on job b, which was cancelled' },
      ])
      await finish('x')
      expect(await world.status('y')).toBe('pending')
    },
  )

  it('failed for good may be requeued yet: its children wait for that, and are cancelled when it is deleted', async () => {
    for (const round of ['requeued', 'deleted'] as const) {
      const [a, b, x] = [`a-${round}`, `b-${round}`, `x-${round}`]
      await world.enqueue(
        { id: a, max_attempts: 1 },
        { id: b, depends_on: [a] },
        { id: x, depends_on: [a], depends_on_outcome: 'any' },
      )
      const [job] = await world.claim(1)
      expect(await world.fail(job as never)).toBe('failed')
      await settle()
      expect(await statuses(b, x)).toEqual(['deferred', 'pending'])
      expect(await sentence(b)).toBe(
        `Job ${b} waits for job ${a}, which has failed for good: requeue it, or delete it and with it what depends on it.`,
      )
      if (round === 'deleted') {
        await world.query('select interlock.delete_job($1)', [a])
        await settle()
        expect(await world.status(b)).toBe('cancelled')
      } else {
        await world.query('select interlock.requeue_job($1)', [a])
        await finish(a)
        expect(await world.status(b)).toBe('pending')
      }
      for (const id of [b, x]) await world.query('select interlock.cancel_job($1)', [id]).catch(() => undefined)
    }
  })

  it('lost with its agent at its last attempt is a dead letter too', async () => {
    const agent = await world.register('mortal', { liveness: 'lease' })
    await world.enqueue(
      { id: 'a', max_attempts: 1 },
      { id: 'b', depends_on: ['a'] },
      { id: 'x', depends_on: ['a'], depends_on_outcome: 'any' },
    )
    const [job] = await world.claim(1, agent)
    await world.start(job as never)
    await world.query(
      `update interlock.agent_stats set lease_until = interlock.clock() - interval '1 hour' where id = $1`,
      [agent],
    )
    await world.query('select interlock.sweep_agent($1)', [agent])
    await settle()
    expect(await statuses('a', 'b', 'x')).toEqual(['failed', 'deferred', 'pending'])
  })

  it('retried is not an end', async () => {
    await world.enqueue({ id: 'a', max_attempts: 2 }, { id: 'b', depends_on: ['a'], depends_on_outcome: 'any' })
    const [job] = await world.claim(1)
    expect(await world.fail(job as never, 'now')).toBe('pending')
    await settle()
    expect(await world.status('b')).toBe('deferred')
    await finish('a')
    expect(await world.status('b')).toBe('pending')
  })
})

describe('enqueue_jobs refuses, and writes nothing', () => {
  it.each([
    [[{ depends_on: 'a' }], 'invalid_argument', 'depends_on', /array of at most 1000/],
    [[{ depends_on: [1] }], 'invalid_argument', 'depends_on', /array of at most 1000/],
    [[{ depends_on: ['b c'] }], 'invalid_argument', 'depends_on', /ids of jobs/],
    [[{ depends_on_outcome: 'any' }], 'invalid_argument', 'depends_on_outcome', /goes with depends_on/],
    [[{ depends_on: [], depends_on_outcome: 'some' }], 'invalid_argument', 'depends_on_outcome', /success or any/],
    [[{ depends_on: ['nobody'] }], 'invalid_argument', 'depends_on', /job nobody, which does not exist/],
    [[{ id: 'i', depends_on: ['i'] }], 'invalid_argument', 'depends_on', /job i depends on itself/],
    [[{ id: 'i', depends_on: ['k'] }, { id: 'k' }], 'invalid_argument', 'jobs[0].depends_on', /stands later/],
    [
      [
        { id: 'i', depends_on: ['k'] },
        { id: 'j', depends_on: ['i'] },
        { id: 'k', depends_on: ['i', 'j'] },
      ],
      'invalid_argument',
      'jobs[0].depends_on',
      /closes a cycle: i -> k -> i/,
    ],
    [[{ depends_on: ['gone'] }], 'illegal_transition', 'depends_on', /job gone, which was cancelled and will never/],
  ])('%j', async (jobs, code, field, message) => {
    await world.enqueue({ id: 'gone' })
    await world.query(`select interlock.cancel_job('gone')`)
    const counts = () =>
      world.query(`select (select count(*) from interlock.jobs) as jobs, (select count(*) from interlock.job_queue_log) as log,
        (select count(*) from interlock.job_dependencies) as dependencies, (select count(*) from interlock.job_dependency_touches) as touches`)
    const before = await counts()
    await expect(world.enqueue(...jobs)).rejects.toMatchObject({ code, field, message: expect.stringMatching(message) })
    expect(await counts()).toEqual(before)
    await world.enqueue({ id: 'whatever', depends_on: ['gone'], depends_on_outcome: 'any' })
    expect(await world.status('whatever')).toBe('pending')
  })
})

describe('at the same moment', () => {
  let one: Database
  let two: Database
  beforeAll(() => {
    one = new Database({ url: world.test.url, poolSize: 1, applicationName: 'one' })
    two = new Database({ url: world.test.url, poolSize: 1, applicationName: 'two' })
  })
  // What a failure has left open must not fail the next one.
  afterEach(() => Promise.all([one, two].map((database) => database.query('rollback'))))
  afterAll(() => Promise.all([one.end(), two.end()]))

  const complete = (database: Database, job: { job_id: string; token: number }) =>
    database.query('select * from interlock.complete_jobs(array[$1], array[$2::bigint])', [job.job_id, job.token])

  it.each(['the first commits first', 'the second commits first'])(
    'two last parents end and never miss each other: %s',
    async (order) => {
      // By two agents: completions of one queue at its row, and would not overlap at all.
      const other = await world.register('another')
      await world.enqueue({ id: 'a' })
      const [a] = await world.claim(1)
      await world.enqueue({ id: 'b' })
      const [b] = await world.claim(1, other)
      if (a === undefined || b === undefined) throw new Error('both were to be claimed')
      await world.enqueue({ id: 'c', depends_on: ['a', 'b'] })
      await settle()
      await one.query('begin')
      await two.query('begin')
      try {
        // Neither sees the other's end: each reads the other as unfinished.
        await complete(one, a)
        await complete(two, b)
      } finally {
        const [first, second] = order === 'the first commits first' ? [one, two] : [two, one]
        await first.query('commit')
        await second.query('commit')
      }
      expect(await world.status('c')).toBe('deferred')
      await settle()
      expect(await world.status('c')).toBe('pending')
      expect(await world.violations()).toEqual([])
    },
  )

  it('a parent that ends while its child is being enqueued: the child is told, whoever commits first', async () => {
    for (const first of ['child', 'parent'] as const) {
      const [p, c] = [`p-${first}`, `c-${first}`]
      await world.enqueue({ id: p })
      const [job] = await world.claim(1)
      await one.query('begin')
      await one.query('select * from interlock.enqueue_jobs($1)', [
        JSON.stringify([{ task: 'work', queue: 'default', id: c, depends_on: [p] }]),
      ])
      await two.query('begin')
      // Nobody waits: the enqueuer has not locked the parent, and the parent cannot see the child.
      await complete(two, job as never)
      for (const database of first === 'child' ? [one, two] : [two, one]) await database.query('commit')
      await settle()
      expect(await world.status(c)).toBe('pending')
      await finish(c)
    }
  })

  it('a parent that ends while settle_dependents is telling it of its child: the flag is read from the deleted row', async () => {
    await world.enqueue({ id: 'p' })
    const [job] = await world.claim(1)
    await world.enqueue({ id: 'c', depends_on: ['p'] })
    await one.query('begin')
    await one.query('select * from interlock.settle_dependents()')
    const completing = complete(two, job as never)
    await waitFor(
      async () => {
        const [row] = await world.query(
          `select from pg_stat_activity where datname = current_database() and application_name = 'two' and wait_event_type = 'Lock'`,
        )
        return row !== undefined
      },
      { what: 'the completion to wait for the flag' },
    )
    await one.query('commit')
    await completing
    expect(await world.status('c')).toBe('pending')
  })

  it('a parent whose row somebody holds is not taken for told: its touch stays, and the next round tells it', async () => {
    await world.enqueue({ id: 'p' })
    const [job] = await world.claim(1)
    await world.enqueue({ id: 'c', depends_on: ['p'] })
    await one.query('begin')
    await one.query(`select interlock.set_priority('p', 1)`)
    await settle()
    expect(await world.query('select parent_id from interlock.job_dependency_touches')).toEqual([{ parent_id: 'p' }])
    await one.query('commit')
    await settle()
    expect(await world.query('select parent_id from interlock.job_dependency_touches')).toEqual([])
    await world.complete(job as never)
    expect(await world.status('c')).toBe('pending')
  })

  it('a child that is cancelled while its parent ends stays cancelled, and nobody waits or comes to harm', async () => {
    await world.enqueue({ id: 'p' }, { id: 'c', depends_on: ['p'] }, { id: 'd', depends_on: ['c'] })
    const [job] = await world.claim(1)
    await one.query('begin')
    await one.query(`select interlock.cancel_job('c', 'not wanted')`)
    await complete(two, job as never)
    await one.query('commit')
    await settle()
    expect(await statuses('p', 'c', 'd')).toEqual(['completed', 'cancelled', 'cancelled'])
    expect(await world.query('select from interlock.job_dependency_touches')).toEqual([])
  })
})

it('prune_history forgets what ended jobs depended on, as old as the log, and nothing of those that live', async () => {
  await world.enqueue({ id: 'p' }, { id: 'q' }, { id: 'c', depends_on: ['p'] }, { id: 'd', depends_on: ['p', 'q'] })
  const jobs = await world.claim(2)
  for (const job of jobs.filter(({ job_id: id }) => id === 'p')) await world.complete(job)
  await finish('c')
  await world.test.advanceClock(8 * 86_400)
  expect(await world.query('select dependencies as n from interlock.prune_history(0)')).toEqual([{ n: 0 }])
  expect(await world.query('select dependencies as n from interlock.prune_history(7)')).toEqual([{ n: 1 }])
  expect(await world.query('select distinct job_id from interlock.job_dependencies')).toEqual([{ job_id: 'd' }])
})
