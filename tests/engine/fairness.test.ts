import { beforeEach, describe, expect, test } from 'vitest'
import { EngineWorld } from './engine-world.ts'

let world: EngineWorld
beforeEach(async () => {
  world = await EngineWorld.create()
})

const setQueue = (settings: Readonly<Record<string, unknown>>) =>
  world.query(`select interlock.set_queue('default', $1)`, [JSON.stringify(settings)])

describe('a newcomer to a fair queue', () => {
  /** Starts one job at a time on the only model and completes it; returns how many others started before `id` did. */
  async function startsBefore(id: string, atMost: number): Promise<number> {
    for (let before = 0; before <= atMost; before++) {
      const [job] = await world.claim(1)
      if (job === undefined) throw new Error('nothing starts')
      if (job.job_id === id) return before
      await world.complete(job)
    }
    return Number.POSITIVE_INFINITY
  }

  async function serve(times: number): Promise<void> {
    for (let n = 0; n < times; n++) await world.complete(...(await world.claim(1)))
  }

  const sets: Readonly<Record<string, (n: number) => readonly string[]>> = {
    'all need the same': () => [],
    'need a thousand different sets': (n) => [`disk:d${n % 1000}`],
  }
  const waits = { 'have just come': 0, 'have waited beyond their patience': 1800 }

  describe.each(Object.entries(sets))('before whom stand 10,000 jobs of one user that %s', (_, resources) => {
    test.each(Object.entries(waits))('and %s, starts after at most two of them', async (_when, seconds) => {
      for (let from = 0; from < 10_000; from += 1000) {
        const jobs = Array.from({ length: 1000 }, (_job, n) => ({
          user: 'alice',
          models: ['flux'],
          resources: resources(from + n),
        }))
        await world.enqueue(...jobs)
      }
      await world.absorb()
      await serve(3)
      await world.test.advanceClock(seconds)
      await serve(2)
      await world.enqueue({ id: 'newcomer', user: 'bob', models: ['flux'] })
      expect(await startsBefore('newcomer', 50)).toBeLessThanOrEqual(2)
    })
  })
})

describe('a user in a fair queue', () => {
  /** Starts and completes one job at a time; returns the users in the order served. */
  async function serve(times: number): Promise<readonly string[]> {
    const users: string[] = []
    for (let n = 0; n < times; n++) {
      const [job] = await world.claim(1)
      if (job === undefined) throw new Error('nothing starts')
      users.push(job.resources[0] ?? '')
      await world.complete(job)
    }
    return users
  }

  const jobsOf = (user: string, count: number) =>
    Array.from({ length: count }, (_, n) => ({ user, models: ['flux'], resources: [`disk:d${n}`] }))

  test('is served as often as the others, and as many times in a turn as their weight says', async () => {
    await setQueue({ user_weights: { alice: 3 } })
    await world.enqueue(...jobsOf('alice', 50), ...jobsOf('bob', 30), ...jobsOf('carol', 30))
    await world.absorb()
    await serve(10)
    const served = await serve(30)
    const times = (user: string) => served.filter((name) => name === `user:${user}`).length
    expect([times('alice'), times('bob'), times('carol')]).toEqual([18, 6, 6])
    await setQueue({ user_weights: null })
    const even = await serve(30)
    expect(even.filter((name) => name === 'user:alice')).toHaveLength(10)
  })

  test.each([{ alice: 0 }, { alice: 101 }, { alice: 1.5 }, { alice: null }, { alice: 'much' }, ['alice'], 3])(
    'has no weight such as %j',
    async (weights) => {
      expect(
        await world.refusal(`select interlock.set_queue('default', $1)`, [JSON.stringify({ user_weights: weights })]),
      ).toEqual({ code: 'invalid_argument', field: 'user_weights' })
    },
  )

  const madeToWait = async (patience: number | string) => {
    await setQueue({ patience_seconds: patience })
    // Alice is served on quick all the time; slow has a line of others before it, renewed for ever.
    const before = ['a', 'b', 'c'].map((user) => ({ user, models: ['slow'] }))
    await world.enqueue(...before, { id: 'waits', user: 'alice', models: ['slow'] })
    for (let round = 0; round < 60; round++) {
      await world.enqueue(
        { user: 'alice', models: ['quick'] },
        { user: `u${round}`, models: ['slow'] },
        { user: `v${round}`, models: ['slow'] },
      )
      const started = await world.claim(2)
      if (started.some((job) => job.job_id === 'waits')) return round
      await world.complete(...started)
      await world.test.advanceClock(10)
    }
    return Number.POSITIVE_INFINITY
  }

  test('whose other lane is served all the time waits for ever without patience (so the next test can fail)', async () => {
    expect(await madeToWait('Infinity')).toBe(Number.POSITIVE_INFINITY)
  })

  test('whose other lane is served all the time is given a turn when the patience is over', async () => {
    expect(await madeToWait(100)).toBeLessThan(40)
  })
})

describe('priorities', () => {
  const order = async () => {
    const ids: string[] = []
    for (let n = 0; n < 4; n++) {
      const [job] = await world.claim(1)
      if (job === undefined) break
      ids.push(job.job_id)
      await world.complete(job)
    }
    return ids
  }

  test('are a head start of a step each, any number between the named ones too', async () => {
    await setQueue({ scheduling: 'fifo', priority_step_seconds: 600 })
    await world.enqueue({ id: 'normal', models: ['flux'] })
    await world.test.advanceClock(500)
    await world.enqueue(
      { id: 'between', models: ['flux'], priority: 1.5 },
      { id: 'high', models: ['flux'], priority: 'high' },
    )
    expect(await order()).toEqual(['high', 'normal', 'between'])
  })

  test('are strict where the step is: a junior job of a higher one always comes first', async () => {
    await setQueue({ scheduling: 'fifo', priority_step_seconds: 'strict' })
    await world.enqueue({ id: 'low', models: ['flux'], priority: 'low' }, { id: 'normal', models: ['flux'] })
    await world.test.advanceClock(3000)
    await world.enqueue({ id: 'critical', models: ['flux'], priority: 'critical' }, { id: 'later', models: ['flux'] })
    expect(await order()).toEqual(['critical', 'normal', 'later', 'low'])
  })
})

// The claim that gives a turn writes of the user, and so does one that starts another job of hers: two such claims that
// met the other way round waited for each other.
test('a claim never waits for one that gives a turn to another lane of its user', async () => {
  const world = await EngineWorld.create()
  const [supervisor] = await world.query<{ agent_id: string }>(
    `select agent_id from interlock.register_agent('supervisor', '{default}', 10, p_permission_levels => '{supervised}',
       p_lease_seconds => 3600)`,
  )
  await world.enqueue({ id: 'waits', user: 'ann' }, { id: 'served', user: 'ann', permission_level: 'supervised' })
  await world.test.advanceClock(1)
  await world.absorb()
  await world.complete(...(await world.claimOnce(1, supervisor?.agent_id)).jobs)
  await world.test.advanceClock(301)
  await world.enqueue({ id: 'next', user: 'ann', permission_level: 'supervised' })
  await world.absorb()

  const giver = await world.test.database.connect()
  await giver.query('begin')
  await giver.query('select * from interlock.claim_jobs($1, null, 1)', [world.agent])
  const [turn] = await giver.query<{ turns: number }>(
    'select count(*)::int as turns from interlock.lane_users where last_turn_at is not null',
  )
  expect(turn?.turns).toBe(1)
  const other = await world.test.database.connect({ statementTimeoutSeconds: 5 })
  const answers = other.query<{ jobs: readonly { job_id: string }[]; contended: readonly string[] }>(
    'select jobs, contended from interlock.claim_jobs($1, null, 1)',
    [supervisor?.agent_id],
  )
  const [answer] = await answers.finally(() => giver.query('rollback'))
  await giver.close()
  expect({ jobs: answer?.jobs, contended: answer?.contended.length }).toEqual({ jobs: [], contended: 1 })
  expect((await world.claimOnce(1, supervisor?.agent_id)).jobs.map((job) => job.job_id)).toEqual(['next'])
  await other.close()
})
