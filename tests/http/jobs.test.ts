import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'
import { countRows, type HttpDoor, openHttpDoor } from './http-door.ts'
import { TestAgent } from './test-agent.ts'

let db: TestDatabase
let door: HttpDoor

beforeAll(async () => {
  db = await createTestDatabase()
  door = await openHttpDoor(db)
})
afterAll(() => door.server.stop())

describe('POST /jobs', () => {
  test('enqueues a job with every field and answers with it as GET shows it', async () => {
    const body = {
      id: 'mine-1',
      task: 'edit',
      user: 'zoe',
      project: 'site',
      models: ['motion-2.0-fast', 'flux-dev'],
      resources: ['repository:site'],
      queue: 'low',
      priority: 'high',
      payload: { prompt: 'a knight' },
      kind: 'workflow',
      timeout_seconds: 60,
      max_attempts: 2,
      retry_delays_seconds: [1, 2],
      ttl_seconds: 600,
      permission_level: 'supervised',
      start: false,
    }
    const reply = await door.post('/jobs', body)
    expect(reply.status).toBe(201)
    expect(reply.headers.get('location')).toBe('/jobs/mine-1')
    expect(reply.json).toMatchObject({
      id: 'mine-1',
      status: 'paused',
      task: 'edit',
      kind: 'workflow',
      user: 'zoe',
      project: 'site',
      queue: 'low',
      priority: 'high',
      priority_number: 1,
      permission_level: 'supervised',
      models: ['flux-dev', 'motion-2.0-fast'],
      resources: ['user:zoe', 'repository:site', 'model:flux-dev', 'model:motion-2.0-fast'],
      attempt: 0,
      max_attempts: 2,
      timeout_seconds: 60,
      token: null,
      agent_id: null,
      payload: { prompt: 'a knight' },
      result: null,
      error: null,
    })
    expect(reply.json.created_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    expect((await door.get('/jobs/mine-1')).json).toEqual(reply.json)
    const [row] = await db.query(
      'select retry_delays_seconds, expires_at - created_at as ttl from interlock.jobs where id = $1',
      ['mine-1'],
    )
    expect(row).toMatchObject({ retry_delays_seconds: [1, 2], ttl: { minutes: 10 } })
  })

  test('chooses the queue by the priority, and generates an id', async () => {
    const queues = await Promise.all(
      (['critical', 'high', 'normal', 'low', 1.4, 3] as const).map(async (priority) => {
        const { json } = await door.post('/jobs', { task: 't', priority })
        return [json.queue, json.priority, json.priority_number]
      }),
    )
    expect(queues).toEqual([
      ['high', 'critical', 0],
      ['high', 'high', 1],
      ['default', 'normal', 2],
      ['low', 'low', 3],
      ['high', 'high', 1.4],
      ['low', 'low', 3],
    ])
  })

  test('schedules for a time or after a delay', async () => {
    const later = await door.post('/jobs', { task: 't', run_at: '2100-01-31T12:00:00+01:00' })
    expect(later.json).toMatchObject({ status: 'scheduled', run_at: '2100-01-31T11:00:00.000Z', queued_at: null })
    const delayed = await door.post('/jobs', { task: 't', delay_seconds: 3600 })
    expect(delayed.json.status).toBe('scheduled')
    expect(Date.parse(delayed.json.run_at) - Date.parse(delayed.json.created_at)).toBeCloseTo(3_600_000, -2)
  })

  test('takes the body of the model coordinator: job_type is the task, the rest is the payload', async () => {
    const reply = await door.post('/jobs', {
      prompt: 'A knight riding a horse',
      model: 'motion-2.0-fast',
      job_type: 'video',
      user: 'carl',
      seed: 7,
      payload: { size: 2 },
    })
    expect(reply.status).toBe(201)
    expect(reply.json).toMatchObject({
      task: 'video',
      kind: 'video',
      models: ['motion-2.0-fast'],
      user: 'carl',
      payload: { prompt: 'A knight riding a horse', seed: 7, size: 2 },
    })
  })

  const wrong: readonly [title: string, body: unknown, field: string | undefined, detail: RegExp][] = [
    ['no task', { user: 'a' }, 'task', /task is required/],
    ['a body that is a list', [], undefined, /body must be an object/],
    ['no body', undefined, undefined, /body is required/],
    ['an unknown field', { task: 't', priorty: 'high' }, 'priorty', /priorty is not a known field/],
    [
      'a priority that is no name',
      { task: 't', priority: 'urgent' },
      'priority',
      /critical, high, normal, low or a number/,
    ],
    ['a priority out of range', { task: 't', priority: 4 }, 'priority', /priority must be at most 3|critical/],
    ['a resource without a kind', { task: 't', resources: ['site'] }, 'resources[0]', /kind:value/],
    ['a user with an asterisk', { task: 't', user: 'a*' }, 'user', /without asterisk/],
    ['an empty user', { task: 't', user: '' }, 'user', /1 to 200/],
    ['a timeout of nothing', { task: 't', timeout_seconds: 0 }, 'timeout_seconds', /at least 1/],
    ['a time without an offset', { task: 't', run_at: '2100-01-31T12:00:00' }, 'run_at', /offset/],
    ['a time and a delay', { task: 't', run_at: '2100-01-31T12:00:00Z', delay_seconds: 1 }, 'delay_seconds', /run_at/],
    [
      'a wait that is no number',
      { task: 't', retry_delays_seconds: [1, 'x'] },
      'retry_delays_seconds[1]',
      /must be a number/,
    ],
    ['33 models', { task: 't', models: Array.from({ length: 33 }, (_, n) => `m${n}`) }, 'models', /at most 32/],
    [
      '33 resources in all',
      { task: 't', user: 'u', models: Array.from({ length: 32 }, (_, n) => `m${n}`) },
      'resources',
      /more than 32/,
    ],
    ['a payload that is no object', { task: 't', payload: [] }, 'payload', /must be an object/],
    ['a payload over the limit', { task: 't', payload: { a: 'x'.repeat(262_144) } }, 'payload', /262144 \(256 KiB\)/],
    ['an id with a slash', { task: 't', id: 'a/b' }, 'id', /letters, digits/],
    ['an old job_type with spaces', { job_type: 'a b', prompt: 'x' }, 'job_type', /letters, digits/],
    [
      'a key __proto__',
      '{"task":"t","payload":{"a":[{"__proto__":{"x":1}}]}}',
      'payload.a[0].__proto__',
      /not accepted/,
    ],
    ['a key constructor', { task: 't', payload: { constructor: 1 } }, 'payload.constructor', /not accepted/],
    ['a NUL', { task: 't', payload: { a: 'x\u0000' } }, 'payload.a', /NUL/],
    ['half a surrogate pair', '{"task":"t","payload":{"a":"\\ud800"}}', 'payload.a', /surrogate/],
    [
      'nesting without end',
      `{"task":"t","payload":{"a":${'['.repeat(5000)}${']'.repeat(5000)}}}`,
      'payload.a[0]',
      /nested deeper/,
    ],
  ]
  test.each(wrong)('refuses %s with 422, names the field and writes nothing', async (_title, body, field, detail) => {
    const before = await countRows(db)
    const reply = await door.post('/jobs', body)
    expect(reply.status).toBe(422)
    expect(reply.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    expect(reply.json).toMatchObject({
      status: 422,
      code: 'invalid_argument',
      type: 'urn:interlock:problem:invalid_argument',
    })
    expect(reply.json.field).toBe(field)
    expect(reply.json.detail).toMatch(detail)
    expect(reply.json.request_id).toBe(reply.headers.get('x-request-id'))
    expect(await countRows(db)).toEqual(before)
  })

  test('names every wrong field at once, and what a misspelt one was meant to be', async () => {
    const { json } = await door.post('/jobs', { priorty: 'high', timeout_seconds: 0 })
    expect(json.violations).toEqual([
      { field: 'task', message: 'is required' },
      { field: 'timeout_seconds', message: 'must be at least 1' },
      { field: 'priorty', message: 'is not a known field', hint: 'Did you mean priority?' },
    ])
  })

  test('refuses a queue that does not exist, a task that its queue does not know, and an id that is taken', async () => {
    await db.query(`update interlock.queues set tasks = '{known}' where name = 'low'`)
    try {
      const before = await countRows(db)
      expect((await door.post('/jobs', { task: 't', queue: 'nowhere' })).json).toMatchObject({
        status: 422,
        code: 'queue_not_found',
        field: 'queue',
      })
      expect((await door.post('/jobs', { task: 't', queue: 'low' })).json).toMatchObject({
        status: 422,
        code: 'unknown_task',
        field: 'task',
      })
      expect(await countRows(db)).toEqual(before)
    } finally {
      await db.query(`update interlock.queues set tasks = null where name = 'low'`)
    }
    await door.post('/jobs', { task: 't', id: 'taken' })
    const before = await countRows(db)
    expect((await door.post('/jobs', { task: 't', id: 'taken' })).json).toMatchObject({
      status: 409,
      code: 'idempotency_conflict',
      field: 'id',
    })
    expect(await countRows(db)).toEqual(before)
  })
})

describe('POST /jobs/batch', () => {
  test('enqueues all, in order', async () => {
    const jobs = Array.from({ length: 1000 }, (_, n) => ({ task: 't', id: `batch-${n}`, user: `u${n % 7}` }))
    const reply = await door.post('/jobs/batch', { jobs })
    expect(reply.status).toBe(201)
    expect(reply.json.count).toBe(1000)
    expect(reply.json.jobs.map((job: { id: string }) => job.id)).toEqual(jobs.map((job) => job.id))
    expect(reply.json.jobs[0]).toEqual({ id: 'batch-0', status: 'pending' })
  })

  test.each([
    [
      'one bad job',
      { jobs: [{ task: 't' }, { task: 't' }, { task: 't' }, { task: 't', priority: 'x' }] },
      'jobs[3].priority',
      'invalid_argument',
    ],
    [
      'an unknown queue',
      { jobs: [{ task: 't' }, { task: 't', queue: 'nowhere' }] },
      'jobs[1].queue',
      'queue_not_found',
    ],
    [
      'an unknown queue of the only job',
      { jobs: [{ task: 't', queue: 'nowhere' }] },
      'jobs[0].queue',
      'queue_not_found',
    ],
    ['a job that is no object', { jobs: [{ task: 't' }, 7] }, 'jobs[1]', 'invalid_argument'],
    ['no jobs', { jobs: [] }, 'jobs', 'invalid_argument'],
    ['too many jobs', { jobs: Array.from({ length: 1001 }, () => ({ task: 't' })) }, 'jobs', 'invalid_argument'],
    ['an unknown field beside the jobs', { jobs: [{ task: 't' }], dry: 1 }, 'dry', 'invalid_argument'],
  ])('with %s enqueues none and names the place', async (_title, body, field, code) => {
    const before = await countRows(db)
    const { json } = await door.post('/jobs/batch', body)
    expect(json).toMatchObject({ status: 422, code, field })
    expect(await countRows(db)).toEqual(before)
  })

  test('with one id that is taken enqueues none', async () => {
    await door.post('/jobs', { task: 't', id: 'batch-taken' })
    const before = await countRows(db)
    const { json } = await door.post('/jobs/batch', {
      jobs: [
        { task: 't', id: 'batch-new' },
        { task: 't', id: 'batch-taken' },
      ],
    })
    expect(json).toMatchObject({ status: 409, code: 'idempotency_conflict' })
    expect(await countRows(db)).toEqual(before)
  })
})

describe('GET /jobs/:id', () => {
  test('shows a running job with its agent, token and progress, then its result', async () => {
    const own = await createTestDatabase()
    const ownDoor = await openHttpDoor(own)
    const agent = await TestAgent.register(own)
    await ownDoor.post('/jobs', { task: 't', user: 'alice', id: 'one', payload: { n: 1 } })
    const claimed = await agent.claimOne()
    await agent.report(claimed, 45, 'Resizing')
    const running = (await ownDoor.get('/jobs/one')).json
    expect(running).toMatchObject({
      status: 'running',
      agent_id: agent.id,
      token: claimed.token,
      attempt: 1,
      progress: 45,
      progress_description: 'Resizing',
      queue_position: null,
    })
    expect(Date.parse(running.started_at)).toBeGreaterThanOrEqual(Date.parse(running.assigned_at))
    await agent.complete(claimed, { url: 'x' })
    expect((await ownDoor.get('/jobs/one')).json).toMatchObject({
      status: 'completed',
      result: { url: 'x' },
      payload: { n: 1 },
      progress: 100,
      agent_id: agent.id,
      token: claimed.token,
      resources: ['user:alice'],
    })
    await ownDoor.server.stop()
    await own.drop()
  })

  test('shows who blocks a waiting job, why, and its position, before and after a claim has examined it', async () => {
    const own = await createTestDatabase()
    const ownDoor = await openHttpDoor(own)
    const agent = await TestAgent.register(own)
    await ownDoor.post('/jobs', { task: 't', user: 'alice', models: ['flux'], id: 'first' })
    await agent.claimOne()
    await ownDoor.post('/jobs', { task: 't', user: 'bob', models: ['flux'], id: 'second' })
    const blocked = {
      status: 'pending',
      blocked_by_job_id: 'first',
      conflict_reason: 'Model conflict: flux in use by normal job first',
      queue_position: 1,
    }
    expect((await ownDoor.get('/jobs/second')).json).toMatchObject(blocked)
    expect(await agent.claim()).toEqual([])
    expect((await ownDoor.get('/jobs/second')).json).toMatchObject(blocked)
    await ownDoor.server.stop()
    await own.drop()
  })

  test.each(['nobody', 'a%00b', '%F0%9F%98%80', 'a'.repeat(200)])('answers 404 for %s, which is no job', async (id) => {
    const reply = await door.get(`/jobs/${id}`)
    expect(reply.json).toMatchObject({ status: 404, code: 'job_not_found', title: 'There is no such job' })
  })
})

describe('GET /jobs', () => {
  let own: TestDatabase
  let ownDoor: HttpDoor
  let agent: TestAgent

  beforeAll(async () => {
    own = await createTestDatabase()
    ownDoor = await openHttpDoor(own)
    agent = await TestAgent.register(own, { slots: 100 })
    await ownDoor.post('/jobs/batch', {
      jobs: Array.from({ length: 25 }, (_, n) => ({
        task: n % 2 ? 'odd' : 'even',
        user: `u${n}`,
        project: 'p',
        queue: 'default',
        models: [`m${n}`],
      })),
    })
    for (const job of await agent.claim(15)) await agent.complete(job)
    const [dead] = await agent.claim(1)
    if (dead !== undefined) await agent.fail(dead, 'boom')
    await agent.claim(2)
  })
  afterAll(async () => {
    await ownDoor.server.stop()
    await own.drop()
  })

  const walk = async (query: string, from = ''): Promise<{ id: string; status: string }[]> => {
    const jobs: { id: string; status: string }[] = []
    for (let cursor = from; ; ) {
      const { json, status } = await ownDoor.get(
        `/jobs?${query}${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
      )
      expect(status).toBe(200)
      jobs.push(...json.jobs)
      if (json.next_cursor === null) return jobs
      cursor = json.next_cursor
    }
  }

  test.each([1, 3, 7, 25, 50])(
    'in pages of %i gives each job once: the live ones by id, then the finished ones',
    async (limit) => {
      const jobs = await walk(`limit=${limit}`)
      expect(new Set(jobs.map((job) => job.id)).size).toBe(25)
      expect(jobs).toHaveLength(25)
      const live = jobs.slice(0, 10)
      expect(live.map((job) => job.status).sort()).toEqual(
        [...Array(7).fill('pending'), 'failed', 'running', 'running'].sort(),
      )
      expect(live.map((job) => job.id)).toEqual(
        live
          .map((job) => job.id)
          .sort()
          .reverse(),
      )
      expect(jobs.slice(10).every((job) => job.status === 'completed')).toBe(true)
    },
  )

  test('leaves out none that was there all the time, whatever is added and ends between two pages', async () => {
    const all = await walk('limit=50')
    const before = all.map((job) => job.id)
    const first = await ownDoor.get('/jobs?limit=5')
    await ownDoor.post('/jobs', { task: 'late', id: 'zzz-late' })
    const unseen = all.slice(5).find((job) => job.status === 'pending')?.id ?? ''
    await own.query('select interlock.cancel_job($1)', [unseen])
    const rest = await walk('limit=5', first.json.next_cursor)
    const seen = [...first.json.jobs, ...rest].map((job: { id: string }) => job.id)
    expect(new Set(seen).size).toBe(seen.length)
    expect([...seen].sort()).toEqual([...before].sort())
    expect(rest.find((job) => job.id === unseen)?.status).toBe('cancelled')
  })

  test.each([
    ['status=completed', 15],
    ['status=pending', 6],
    ['status=cancelled', 1],
    ['status=running,assigned', 2],
    ['status=failed', 1],
    ['status=scheduled', 0],
    ['status=running&status=failed', 3],
    ['status=completed,pending', 21],
    ['user=u3', 1],
    ['user=nobody', 0],
    ['task=odd', 12],
    ['model=m24', 1],
    ['queue=default', 25],
    ['queue=low', 0],
    ['project=p&task=even', 13],
    ['agent=tester', 18],
    ['agent=test', 0],
  ])('filters by %s', async (query, count) => {
    const jobs = (await walk(`limit=4&${query}`)).filter((job) => job.id !== 'zzz-late')
    expect(jobs).toHaveLength(count)
  })

  test('leaves payloads out and says who blocks', async () => {
    await ownDoor.post('/jobs', { task: 't', user: 'same', id: 'a-same', payload: { big: 1 } })
    await ownDoor.post('/jobs', { task: 't', user: 'same', id: 'b-same' })
    const [held] = await agent.claim(100).then((jobs) => jobs.filter((job) => job.job_id === 'a-same'))
    expect(held).toBeDefined()
    const { json } = await ownDoor.get('/jobs?user=same')
    expect(json.jobs[0]).toMatchObject({
      id: 'b-same',
      status: 'pending',
      blocked_by_job_id: 'a-same',
      conflict_reason: expect.stringMatching(/User conflict: same/),
    })
    expect(json.jobs[1]).not.toHaveProperty('payload')
  })

  test.each([
    ['limit=0', 'limit'],
    ['limit=501', 'limit'],
    ['limit=x', 'limit'],
    ['limit=1&limit=2', 'limit'],
    ['status=waiting', 'status[0]'],
    ['stauts=running', 'stauts'],
    ['cursor=rubbish', 'cursor'],
    [`cursor=${Buffer.from('{"finished":["x; drop","a"]}').toString('base64url')}`, 'cursor'],
    ['user=', 'user'],
  ])('refuses %s with 422 naming %s', async (query, field) => {
    expect((await ownDoor.get(`/jobs?${query}`)).json).toMatchObject({ status: 422, code: 'invalid_argument', field })
  })
})
