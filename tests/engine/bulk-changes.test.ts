import { beforeEach, describe, expect, test } from 'vitest'
import { changeJobs } from '../../src/store/bulk-changes.ts'
import { EngineWorld } from './engine-world.ts'

let world: EngineWorld
beforeEach(async () => {
  world = await EngineWorld.create()
})

interface Piece {
  readonly changed: number
  readonly asked: number
  readonly busy: number
  readonly examples: readonly string[]
  readonly next_after: string | null
}

interface Options {
  readonly dry?: boolean
  readonly after?: string
  readonly limit?: number
  readonly priority?: number
}

const call = `select * from interlock.change_jobs($1, $2::jsonb, $3, $4, $5, $6, 'because', 'ann')`
const values = (change: string, filter: unknown, { dry = false, after = '', limit = 500, priority }: Options = {}) => [
  change,
  JSON.stringify(filter),
  dry,
  after,
  limit,
  priority ?? null,
]
async function change(what: string, filter: unknown, options: Options = {}): Promise<Piece> {
  const [row] = await world.query<Piece>(call, values(what, filter, options))
  if (row === undefined) throw new Error('no row')
  return row
}
const names = (prefix: string, count: number) => Array.from({ length: count }, (_, n) => `${prefix}${n}`)
const dead = async (...ids: readonly string[]) => {
  await world.enqueue(...ids.map((id) => ({ id, user: id, task: 'dies' })))
  for (const job of await world.claim()) await world.fail(job, 'never')
}

describe('cancel', () => {
  test('goes through the matching jobs piece by piece, each where the one before ended', async () => {
    await world.enqueue(
      ...names('a', 5).map((id) => ({ id, user: 'alice' })),
      ...names('b', 3).map((id) => ({ id, user: 'bob' })),
    )
    const first = await change('cancel', { user: 'alice' }, { limit: 2 })
    expect(first).toEqual({ changed: 2, asked: 0, busy: 0, examples: ['a0', 'a1'], next_after: 'a1' })
    const second = await change('cancel', { user: 'alice' }, { limit: 2, after: 'a1' })
    expect(second).toMatchObject({ changed: 2, next_after: 'a3' })
    expect(await change('cancel', { user: 'alice' }, { limit: 2, after: 'a3' })).toMatchObject({
      changed: 1,
      next_after: null,
    })
    expect(await world.status('a4')).toBe('cancelled')
    expect(await world.timeline('a4')).toEqual(['enqueued', 'cancelled'])
    const [event] = await world.query(
      `select actor, conflict_reason from interlock.job_queue_log where job_id = 'a4' and event_type = 'cancelled'`,
    )
    expect(event).toEqual({ actor: 'ann', conflict_reason: 'because' })
    expect(await world.status('b0')).toBe('pending')
  })

  test('asks what runs to stop, once, and says how many', async () => {
    await world.enqueue({ id: 'runs', user: 'alice' })
    const [job] = await world.claim()
    await world.enqueue({ id: 'waits', user: 'alice' })
    expect(await change('cancel', { user: 'alice' })).toMatchObject({
      changed: 1,
      asked: 1,
      examples: ['runs', 'waits'],
    })
    expect(await world.timeline('runs')).toEqual(['enqueued', 'assigned', 'cancel_requested'])
    expect(await change('cancel', { user: 'alice' })).toMatchObject({ changed: 0, asked: 0, examples: [] })
    if (job !== undefined) expect(await world.fail(job)).toBe('cancelled')
  })

  test('only tells on a dry run, and locks nothing', async () => {
    await world.enqueue({ id: 'a', project: 'site' }, { id: 'b', project: 'site' }, { id: 'c' })
    expect(await change('cancel', { project: 'site' }, { dry: true })).toMatchObject({
      changed: 2,
      examples: ['a', 'b'],
    })
    expect(await world.timeline('a')).toEqual(['enqueued'])
  })

  test('leaves a job that somebody has locked, waits for nobody, and finds it in a second pass', async () => {
    await world.enqueue({ id: 'a', user: 'alice' }, { id: 'b', user: 'alice' })
    await world.test.database.transaction(async (other) => {
      await other.query(`select interlock.set_priority('a', 1)`)
      // The other has not committed: a verb that waited here would wait for ever.
      expect(await change('cancel', { user: 'alice' })).toMatchObject({ changed: 1, busy: 1 })
    })
    const answer = await changeJobs(world.test.database, 'cancel', { user: 'alice' }, { dryRun: false })
    expect(answer).toMatchObject({ changed: 1, busy: 0, next_cursor: null })
    expect(await world.status('a')).toBe('cancelled')
  })

  test('leaves a job that is just being completed to its holder', async () => {
    await world.enqueue({ id: 'a', user: 'alice' })
    const [job] = await world.claim()
    await world.test.database.transaction(async (holder) => {
      await holder.query('select interlock.complete_jobs($1, $2)', [[job?.job_id], [job?.token]])
      expect(await change('cancel', { user: 'alice' })).toMatchObject({ changed: 0, asked: 0, busy: 1 })
    })
    expect(await world.status('a')).toBe('completed')
  })

  test('lets go of no manual lock, whatever the filter says', async () => {
    await world.query(`select interlock.acquire_lock('{user:alice}', 'alice', 60, 10)`)
    expect(await change('cancel', { all: true })).toMatchObject({ changed: 0, asked: 0 })
  })
})

test.each([
  ['user', { user: 'alice' }, ['a', 'b']],
  ['project', { project: 'site' }, ['b']],
  ['task', { task: 'render' }, ['c']],
  ['queue', { queue: 'low' }, ['d']],
  ['model', { model: 'flux' }, ['c']],
  ['text, in either case', { text: 'INVOICE' }, ['d']],
  ['age', { older_than_seconds: 30 }, ['a']],
  ['youth', { newer_than_seconds: 30 }, ['b', 'c', 'd', 'e']],
  ['status', { status: ['paused'] }, ['e']],
  ['several at once', { user: 'alice', newer_than_seconds: 30 }, ['b']],
  ['all', { all: true }, ['a', 'b', 'c', 'd', 'e']],
])('a filter by %s finds what it names and nothing else', async (_name, filter, found) => {
  await world.enqueue({ id: 'a', user: 'alice' })
  await world.test.advanceClock(60)
  await world.enqueue(
    { id: 'b', user: 'alice', project: 'site' },
    { id: 'c', task: 'render', models: ['flux'] },
    { id: 'd', queue: 'low', payload: { subject: 'The invoice of May' } },
    { id: 'e', start: false },
  )
  expect((await change('cancel', filter, { dry: true })).examples).toEqual(found)
})

test('an agent’s jobs are found by its id, and by its name', async () => {
  await world.enqueue({ id: 'a' })
  await world.claim()
  expect((await change('cancel', { agent: world.agent }, { dry: true })).examples).toEqual(['a'])
  expect((await change('cancel', { agent: 'worker' }, { dry: true })).examples).toEqual(['a'])
  expect((await change('cancel', { agent: 'work' }, { dry: true })).examples).toEqual([])
})

test('requeue sends dead letters back as new, and leaves what waits for its time unless it is named', async () => {
  await dead('x', 'y')
  await world.enqueue({ id: 'later', delay_seconds: 3600 })
  expect(await change('requeue', { all: true })).toMatchObject({ changed: 2, examples: ['x', 'y'] })
  expect(await world.query(`select status, attempt from interlock.jobs where id = 'x'`)).toEqual([
    { status: 'pending', attempt: 0 },
  ])
  expect(await change('requeue', { status: ['scheduled'] })).toMatchObject({ changed: 1, examples: ['later'] })
})

test('delete clears dead letters of one error, and leaves the others', async () => {
  await dead('x', 'y')
  await world.query(`update interlock.jobs set error = '{"message": "GPU 7 is gone"}' where id = 'y'`)
  expect(await change('delete', { error: 'GPU <n> is gone' })).toMatchObject({ changed: 1, examples: ['y'] })
  expect(await world.status('y')).toBe('deleted')
  expect(await world.status('x')).toBe('failed')
})

test('priority moves those that wait, by their seniority, and repeats nothing', async () => {
  await world.enqueue({ id: 'a', user: 'alice' }, { id: 'b', user: 'bob' })
  expect(await change('priority', { user: 'bob' }, { priority: 0 })).toMatchObject({ changed: 1 })
  expect(await change('priority', { user: 'bob' }, { priority: 0 })).toMatchObject({ changed: 0 })
  expect((await world.claim(1)).map((job) => job.job_id)).toEqual(['b'])
})

test('a piece looks at 5,000 jobs and no more, and says where to go on', async () => {
  await world.query(
    `select interlock.enqueue_jobs((select jsonb_agg(jsonb_build_object('id', 'w' || lpad(n::text, 5, '0'), 'task', 'work')) from generate_series(1, 5001) as n))`,
  )
  const first = await change('cancel', { task: 'nothing' })
  expect(first).toMatchObject({ changed: 0, next_after: 'w05000' })
  expect(await change('cancel', { task: 'nothing' }, { after: 'w05000' })).toMatchObject({ next_after: null })
})

test.each([
  ['cancel', {}, 'filter', 'invalid_argument'],
  ['cancel', [], 'filter', 'invalid_argument'],
  ['cancel', { usr: 'alice' }, 'usr', 'invalid_argument'],
  ['cancel', { user: 3 }, 'user', 'invalid_argument'],
  ['cancel', { status: ['failed'] }, 'status', 'invalid_argument'],
  ['cancel', { status: ['done'] }, 'status', 'invalid_argument'],
  ['cancel', { older_than_seconds: 'x' }, 'older_than_seconds', 'invalid_argument'],
  ['cancel', { queue: 'nowhere' }, 'queue', 'queue_not_found'],
  ['cancel', { queue: 'locks' }, 'queue', 'invalid_argument'],
  ['priority', { user: 'a' }, 'priority', 'invalid_argument'],
  ['fly', { user: 'a' }, 'change', 'invalid_argument'],
])('%s refuses the filter %j, naming %s', async (what, filter, field, code) => {
  await world.enqueue({ id: 'a', user: 'alice' })
  expect(await world.refusal(call, values(what, filter))).toEqual({ code, field })
  expect(await world.timeline('a')).toEqual(['enqueued'])
})

describe('change_limit', () => {
  const set = (pattern: string, settings: unknown) =>
    world.query('select interlock.change_limit($1, $2::jsonb)', [pattern, JSON.stringify(settings)])
  const row = async (pattern: string) =>
    (
      await world.query(
        'select capacity, starts_per_minute as rate, is_paused from interlock.resources where pattern = $1',
        [pattern],
      )
    )[0]

  test('changes what is named and leaves the rest', async () => {
    await set('model:flux', { capacity: 2 })
    await set('model:flux', { starts_per_minute: 60 })
    await set('model:flux', { is_paused: true })
    expect(await row('model:flux')).toEqual({ capacity: 2, rate: 60, is_paused: true })
    await set('model:flux', { capacity: null, is_paused: false })
    expect(await row('model:flux')).toEqual({ capacity: null, rate: 60, is_paused: false })
  })

  test.each([
    [{}, 'settings'],
    [{ capacty: 2 }, 'capacty'],
    [{ capacity: 'two' }, 'capacity'],
    [{ capacity: 1e6 }, 'capacity'],
    [{ is_paused: 'yes' }, 'is_paused'],
    [{ starts_per_minute: 6 }, 'capacity'],
  ])('refuses %j, naming %s', async (settings, field) => {
    expect(
      await world.refusal('select interlock.change_limit($1, $2::jsonb)', ['model:other', JSON.stringify(settings)]),
    ).toEqual({ code: 'invalid_argument', field })
  })
})
