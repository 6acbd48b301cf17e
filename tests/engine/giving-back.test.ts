import { beforeEach, describe, expect, test } from 'vitest'
import { type Assigned, EngineWorld } from './engine-world.ts'

let world: EngineWorld
beforeEach(async () => {
  world = await EngineWorld.create()
})

async function run(job: Record<string, unknown>, agent = world.agent): Promise<Assigned> {
  const [id] = await world.enqueue(job)
  const claimed = (await world.claim(100, agent)).find(({ job_id }) => job_id === id)
  if (claimed === undefined) throw new Error(`${id} was not claimed`)
  await world.start(claimed)
  return claimed
}

async function ask(job: Assigned, request: Record<string, unknown> = {}): Promise<string> {
  const [row] = await world.query<{ request_id: string }>('select request_id from interlock.ask($1, $2, $3)', [
    job.job_id,
    job.token,
    { message: 'Go on?', release_models: true, ...request },
  ])
  return row?.request_id ?? ''
}

async function answer(id: string): Promise<void> {
  await world.query(`select interlock.answer_request($1, '{"message": "yes"}')`, [id])
}

/** What a coordinator does for companions: grants them, and hands over. */
async function tick(): Promise<readonly string[]> {
  await world.query('select interlock.expire_requests()')
  await world.claim(100, 'locks.0')
  const [away] = await world.query<{ ids: readonly string[] }>('select interlock.away_requests() as ids')
  const states: string[] = []
  for (const id of away?.ids ?? []) {
    const [row] = await world.query<{ state: string }>('select interlock.resume_request($1) as state', [id])
    states.push(row?.state ?? '')
  }
  return states
}

async function holders(): Promise<Readonly<Record<string, string>>> {
  const rows = await world.query<{ resource: string; job: string }>(
    'select resource, active_job_id as job from interlock.job_queue_state where active_job_id is not null',
  )
  return Object.fromEntries(rows.map(({ resource, job }) => [resource, job]))
}

async function fenceOf(resource: string): Promise<number> {
  const [row] = await world.query<{ fence: number }>(
    'select fence from interlock.job_queue_state where resource = $1 and active_job_id is not null',
    [resource],
  )
  return row?.fence ?? 0
}

/** The companion that stands in line, if there is one. */
async function companion(): Promise<Readonly<Record<string, unknown>> | undefined> {
  const [row] = await world.query(`select * from interlock.jobs where kind = 'resume'`)
  return row
}

const clean = async () => {
  expect(await world.violations()).toEqual([])
  expect(await companion()).toBeUndefined()
}

describe('models given back while a job waits for a person', () => {
  test('are used by another job meanwhile, and taken again, all of them, before the answer is read', async () => {
    const asker = await run({ id: 'asker', user: 'alice', models: ['flux', 'wan'] })
    const id = await ask(asker)
    expect(await holders()).toEqual({ 'user:alice': 'asker' })
    expect(await world.violations()).toEqual([])
    // The user stays the asker's: nobody else works on her files.
    await world.enqueue({ id: 'of-alice', user: 'alice' })
    const other = await run({ id: 'other', user: 'bob', models: ['flux'] })
    expect(other.fences['model:flux']).toBeGreaterThan(asker.token)
    expect(await world.claimedIds()).toEqual([])

    await answer(id)
    await tick()
    // flux is bob's; wan is free, and not taken by itself.
    expect(await holders()).toMatchObject({ 'model:flux': 'other', 'user:alice': 'asker' })
    expect((await world.query('select is_away from interlock.requests'))[0]).toEqual({ is_away: true })
    expect(await world.violations()).toEqual([])

    await world.complete(other)
    expect(await tick()).toEqual(['resumed'])
    expect(await holders()).toEqual({ 'user:alice': 'asker', 'model:flux': 'asker', 'model:wan': 'asker' })
    const fence = await fenceOf('model:flux')
    expect(fence).toBeGreaterThan(other.token)
    expect(await world.query('select is_away, fences, given_back from interlock.requests')).toEqual([
      { is_away: false, fences: { 'model:flux': fence, 'model:wan': fence }, given_back: ['model:flux', 'model:wan'] },
    ])
    expect(await world.timeline('asker')).toEqual(['enqueued', 'assigned', 'started', 'asked', 'answered', 'resumed'])
    await clean()
    await world.complete(asker)
    expect(await world.claimedIds()).toEqual(['of-alice'])
    await clean()
  })

  test('come back with the seniority that the job had: before all that came after it', async () => {
    await world.query(`select interlock.set_limit('user:*', 100)`)
    const asker = await run({ id: 'asker', user: 'alice', models: ['flux', 'wan'] })
    const id = await ask(asker)
    const other = await run({ id: 'other', user: 'bob', models: ['flux'] })
    await world.enqueue(
      { id: 'younger', user: 'carol', models: ['flux'] },
      { id: 'gang', user: 'dan', models: ['flux', 'wan'] },
    )
    await world.absorb()
    await world.claim()
    await answer(id)
    await world.claim(100, 'locks.0')
    expect(await companion()).toMatchObject({ queue: 'locks', priority: 2 })
    await world.complete(other)
    // Whoever looks first: it is next in line.
    expect(await world.claimedIds()).toEqual([])
    expect(await tick()).toEqual(['resumed'])
    await world.complete(asker)
    expect(await world.claimedIds()).toEqual(['younger'])
    expect(await world.violations()).toEqual([])
  })

  test('come back when nobody answers, before the job is told so', async () => {
    const asker = await run({ user: 'alice', models: ['flux'] })
    await ask(asker, { expires_in_seconds: 60 })
    await world.test.advanceClock(61)
    expect(await tick()).toEqual(['resumed'])
    expect(await world.query('select status, is_away from interlock.requests')).toEqual([
      { status: 'expired', is_away: false },
    ])
    expect(await world.timeline(asker.job_id)).toEqual([
      'enqueued',
      'assigned',
      'started',
      'asked',
      'request_expired',
      'resumed',
    ])
    await clean()
  })

  test('are a matter of the models: without one there is nothing to give back; limits go with them', async () => {
    await world.query(`select interlock.set_limit('limit:all', 1)`)
    const plain = await run({ id: 'plain', user: 'alice' })
    await ask(plain)
    expect(await holders()).toEqual({ 'user:alice': 'plain', 'limit:all': 'plain' })
    await world.complete(plain)
    const asker = await run({ id: 'asker', user: 'alice', models: ['flux'] })
    const id = await ask(asker)
    // One job at a time in all: who waits for a person lets another one work.
    const other = await run({ id: 'other', user: 'bob' })
    await answer(id)
    expect(await tick()).toEqual([])
    await world.complete(other)
    expect(await tick()).toEqual(['resumed'])
    expect(await holders()).toEqual({ 'user:alice': 'asker', 'model:flux': 'asker', 'limit:all': 'asker' })
    await clean()
  })

  test('a list gives back from its first one on, others too', async () => {
    const asker = await run({ id: 'asker', user: 'alice', models: ['flux'], resources: ['gpu:0', 'disk:1'] })
    const id = await ask(asker, { release_models: false, release_resources: ['gpu:0', 'model:flux'] })
    expect(await holders()).toEqual({ 'user:alice': 'asker', 'disk:1': 'asker' })
    await answer(id)
    expect(await tick()).toEqual(['resumed'])
    expect(Object.keys(await holders())).toHaveLength(4)
    await clean()
  })

  test('are taken again although somebody more senior waits for both: nobody waits in a circle', async () => {
    await world.query(`select interlock.set_queue('default', '{"patience_seconds": 0}')`)
    const asker = await run({ id: 'asker', user: 'alice', models: ['flux'], resources: ['disk:1'] })
    const id = await ask(asker)
    await world.enqueue({ id: 'senior', user: 'bob', models: ['flux'], resources: ['disk:1'], priority: 'critical' })
    expect(await world.claimedIds()).toEqual([])
    // It waits for the disk, which comes before the model in resource order, and so has not reserved the model.
    const lane = await world.query('select blocked_on, reserving from interlock.job_lanes where reserving')
    expect(lane).toEqual([{ blocked_on: 'disk:1', reserving: true }])
    await answer(id)
    expect(await tick()).toEqual(['resumed'])
    await world.complete(asker)
    expect(await world.claimedIds()).toEqual(['senior'])
    await clean()
  })

  test('a limit that is new meanwhile is taken with them, and held by nobody who waits', async () => {
    const asker = await run({ id: 'asker', user: 'alice', models: ['flux'] })
    const id = await ask(asker)
    await world.query(`select interlock.set_limit('task:work', 1)`)
    expect(await holders()).toEqual({ 'user:alice': 'asker' })
    expect(await world.violations()).toEqual([])
    const other = await run({ id: 'other', user: 'bob' })
    await answer(id)
    expect(await tick()).toEqual([])
    await world.complete(other)
    expect(await tick()).toEqual(['resumed'])
    expect(await holders()).toMatchObject({ 'task:work': 'asker' })
    await clean()
  })

  test('a limit that comes while the companion stands in line sends another one', async () => {
    const asker = await run({ id: 'asker', user: 'alice', models: ['flux'] })
    const id = await ask(asker)
    await answer(id)
    await world.query(`select interlock.set_limit('task:work', 1)`)
    expect(await tick()).toEqual(['waiting'])
    expect(await world.violations()).toEqual([])
    expect(await tick()).toEqual(['resumed'])
    expect(await holders()).toEqual({ 'user:alice': 'asker', 'model:flux': 'asker', 'task:work': 'asker' })
    await clean()
  })

  test('what is not limited any more needs no line', async () => {
    const asker = await run({ id: 'asker', user: 'alice', models: ['flux'] })
    const id = await ask(asker)
    await world.query(`select interlock.set_limit('model:*', null)`)
    await answer(id)
    expect(await world.query('select is_away from interlock.requests')).toEqual([{ is_away: false }])
    expect(await world.timeline('asker')).toContain('resumed')
    await clean()
  })

  test('a companion that somebody takes out of the line is replaced', async () => {
    const asker = await run({ id: 'asker', user: 'alice', models: ['flux'] })
    const id = await ask(asker)
    await answer(id)
    const first = String((await companion())?.id)
    await world.query('select interlock.cancel_job($1)', [first])
    expect(await tick()).toEqual(['waiting'])
    await world.claim(100, 'locks.0')
    // Released by force, too: between its grant and the handing over.
    await world.query(`select interlock.release_resource('model:flux')`)
    expect(await tick()).toEqual(['waiting'])
    expect(await tick()).toEqual(['resumed'])
    await clean()
  })

  test('are given back once at a time, and again after they were taken again', async () => {
    const asker = await run({ id: 'asker', user: 'alice', models: ['flux'] })
    const id = await ask(asker)
    await expect(ask(asker)).rejects.toThrow('job asker has given back what it needs already')
    const plain = await ask(asker, { release_models: false })
    await answer(plain)
    await answer(id)
    expect(await tick()).toEqual(['resumed'])
    const again = await ask(asker)
    await answer(again)
    expect(await tick()).toEqual(['resumed'])
    const fence = await fenceOf('model:flux')
    expect(fence).toBeGreaterThan(asker.token + 1)
    await world.complete(asker)
    await clean()
  })

  let endOther = async () => {}
  const ends: Readonly<Record<string, (job: Assigned) => Promise<void>>> = {
    completed: (job) => world.complete(job),
    failed: async (job) => void (await world.fail(job)),
    cancelled: async (job) => {
      await world.query('select interlock.cancel_job($1)', [job.job_id])
      await world.query('select interlock.confirm_cancel($1, $2)', [job.job_id, job.token])
    },
    returned: async (job) =>
      void (await world.query('select interlock.return_jobs($1, $2, $3)', [[job.job_id], [job.token], 'because'])),
    lost: async (job) => {
      const [row] = await world.query<{ agent_id: string }>('select agent_id from interlock.jobs where id = $1', [
        job.job_id,
      ])
      await world.query('update interlock.agent_stats set lease_until = interlock.clock() where id = $1', [
        row?.agent_id,
      ])
      await world.query('select interlock.sweep_agent($1)', [row?.agent_id])
    },
  }
  const phases: Readonly<Record<string, (id: string) => Promise<void>>> = {
    'before the answer': async () => undefined,
    'in line': async (id) => {
      const [row] = await world.query<{ n: number }>(
        `select count(*) as n from interlock.task_history where user_name = 'bob'`,
      )
      const other = await run({ id: `other${row?.n}`, user: 'bob', models: ['flux'] })
      endOther = () => world.complete(other)
      await answer(id)
      await world.claim(100, 'locks.0')
    },
    'just granted': async (id) => {
      await answer(id)
      await world.claim(100, 'locks.0')
    },
    'after it': async (id) => {
      await answer(id)
      expect(await tick()).toEqual(['resumed'])
    },
  }
  test.each(Object.entries(phases))(
    '%s: a job that ends leaves no slot behind, however it ends',
    async (phase, reach) => {
      for (const [how, end] of Object.entries(ends)) {
        const dying = await world.register(`dying-${how}`)
        const asker = await run({ id: how, user: 'alice', models: ['flux', 'wan'], retry_delays_seconds: [60] }, dying)
        await reach(await ask(asker))
        await end(asker)
        expect(await world.violations(), how).toEqual([])
        await tick()
        await world.query('select interlock.cancel_job($1)', [how]).catch(() => undefined)
        await clean()
        const isBeside = phase === 'in line'
        expect(await holders(), how).toEqual(
          isBeside ? { 'user:bob': expect.any(String), 'model:flux': expect.any(String) } : {},
        )
        expect(await tick(), how).toEqual([])
        if (isBeside) await endOther()
      }
    },
  )
})
