import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Doors, openDoors } from './cli-and-http.ts'

let doors: Doors
beforeAll(async () => {
  doors = await openDoors()
})
afterAll(() => doors.close())

const patch = (path: string, body: unknown, method = 'PATCH') =>
  doors.http.send(method, path, { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
const statusOf = async (id: string) => (await doors.http.get(`/jobs/${id}`)).json.status

describe('24. Many jobs at once, and the policy of queues and resources, with --dry-run', () => {
  it('flushes one user’s waiting jobs (seed P), tells before, and leaves what runs', async () => {
    await doors.http.post('/jobs', { task: 'work', id: 'alice-runs', user: 'alice' })
    const running = await doors.agent.claimOne()
    const jobs = ['alice-1', 'alice-2', 'bob-1'].map((id) => ({ task: 'work', id, user: id.split('-')[0] }))
    await doors.http.post('/jobs/batch', { jobs: [...jobs, { task: 'work', id: 'bob-2', user: 'bob', queue: 'low' }] })
    const dry = await doors.interlock('queue', 'flush', '--user', 'alice', '--dry-run')
    expect(dry).toMatchObject({ code: 0, stdout: '2 jobs would be cancelled: alice-1, alice-2\n' })
    expect(await statusOf('alice-1')).toBe('pending')
    const flushed = await doors.interlockOnDatabase('queue', 'flush', '--user', 'alice')
    expect(flushed).toMatchObject({ code: 0, stdout: '2 jobs cancelled: alice-1, alice-2\n' })
    expect(await statusOf('alice-runs')).toBe('running')
    await doors.agent.complete(running)
    expect(await statusOf('bob-1')).toBe('pending')
  })

  it('flushes a queue, and all of it only where that is said', async () => {
    expect((await doors.http.post('/queues/low/flush?dry_run=1')).json).toMatchObject({ dry_run: true, changed: 1 })
    expect(await statusOf('bob-2')).toBe('pending')
    expect((await doors.http.post('/queues/low/flush')).json).toMatchObject({
      dry_run: false,
      changed: 1,
      examples: ['bob-2'],
    })
    expect(await doors.http.post('/queues/nowhere/flush')).toMatchObject({
      status: 422,
      json: { code: 'queue_not_found' },
    })
    expect(await doors.interlock('queue', 'flush')).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') })
    expect(await doors.interlock('queue', 'flush', '--yes')).toMatchObject({
      code: 0,
      stdout: '1 job cancelled: bob-1\n',
    })
  })

  it('cancels, requeues and moves by the filters of the list, which finds by text and age too', async () => {
    await doors.http.post('/jobs/batch', {
      jobs: [
        { task: 'mail', id: 'm-1', payload: { subject: 'Invoice of May' } },
        { task: 'mail', id: 'm-2', payload: { subject: 'Hello' } },
      ],
    })
    expect((await doors.http.get('/jobs?text=invoice&status=pending')).json.jobs).toMatchObject([{ id: 'm-1' }])
    expect((await doors.http.get('/jobs?task=mail&older_than_seconds=3600')).json.jobs).toEqual([])
    const moved = await doors.http.post('/jobs/priority', { text: 'invoice', priority: 'critical' })
    expect(moved.json).toMatchObject({ changed: 1, examples: ['m-1'], next_cursor: null })
    expect((await doors.http.get('/jobs/m-1')).json.priority).toBe('critical')
    const job = await doors.agent.claimOne()
    await doors.agent.fail(job, 'boom')
    expect((await doors.http.post('/jobs/requeue', { task: 'mail', dry_run: true })).json).toMatchObject({ changed: 1 })
    expect((await doors.http.post('/jobs/requeue', { task: 'mail' })).json).toMatchObject({ changed: 1 })
    expect((await doors.http.post('/jobs/cancel', { task: 'mail', reason: 'no mail today' })).json).toMatchObject({
      changed: 2,
    })
    expect((await doors.http.get('/jobs/m-2')).json).toMatchObject({ status: 'cancelled', reason: 'no mail today' })
  })

  it.each([
    ['/jobs/cancel', {}, 'filter'],
    ['/jobs/cancel', { usr: 'alice' }, 'usr'],
    ['/jobs/cancel', { status: 'completed' }, 'status[0]'],
    ['/jobs/cancel', { status: 'failed' }, 'status'],
    ['/jobs/cancel', { all: false }, 'all'],
    ['/jobs/requeue', { queue: 'nowhere' }, 'queue'],
    ['/jobs/priority', { all: true }, 'priority'],
    ['/queues/low/flush', { dry_run: 'yes' }, 'dry_run'],
  ])('POST %s refuses %j, naming %s', async (path, body, field) => {
    expect(await doors.http.post(path, body)).toMatchObject({ status: 422, json: { field } })
  })

  it('pauses and resumes a queue', async () => {
    expect(await doors.interlock('queue', 'pause', 'default')).toMatchObject({ code: 0, stdout: 'default paused\n' })
    await doors.http.post('/jobs', { task: 'work', id: 'held-up' })
    expect(await doors.agent.claim()).toEqual([])
    expect((await doors.http.post('/queues/default/resume')).json).toMatchObject({ name: 'default', is_paused: false })
    expect(await doors.agent.claim()).toHaveLength(1)
    expect(await doors.http.post('/queues/nowhere/pause')).toMatchObject({
      status: 422,
      json: { code: 'queue_not_found' },
    })
  })

  it('sets a queue’s policy, shows it, and makes a queue only where that is meant', async () => {
    expect(await patch('/queues/default', { max_attempts: 5 })).toMatchObject({
      status: 200,
      json: { max_attempts: 5 },
    })
    expect(await patch('/queues/default', { max_attempts: 0 })).toMatchObject({
      status: 422,
      json: { field: 'max_attempts' },
    })
    expect(await patch('/queues/calls', { max_attempts: 5 })).toMatchObject({ status: 422 })
    const made = await doors.interlock('queue', 'set', 'calls', 'max_attempts=7', 'scheduling=fifo', '--create')
    expect(made).toMatchObject({ code: 0, stdout: 'calls max_attempts 7\ncalls scheduling "fifo"\n' })
    const { json } = await doors.http.get('/queues')
    expect(json.queues.map(({ name }: { name: string }) => name)).toEqual(['calls', 'default', 'high', 'locks', 'low'])
  })

  it('limits, pauses and frees a resource while everything runs', async () => {
    const set = await doors.interlockOnDatabase('resources', 'set', 'model:flux', '--capacity', '2', '--rate', '60')
    expect(set).toMatchObject({ code: 0, stdout: expect.stringMatching(/model:flux +2 +60\/min/) })
    expect((await patch('/resources/model:flux', { is_paused: true })).json).toMatchObject({
      resource: { pattern: 'model:flux', capacity: 2, starts_per_minute: 60, is_paused: true },
    })
    await doors.http.post('/jobs/batch', {
      jobs: [1, 2, 3].map((n) => ({ task: 'draw', id: `draw-${n}`, models: ['flux'] })),
    })
    expect(await doors.agent.claim(10)).toEqual([])
    await patch('/resources/model:flux', { is_paused: false })
    expect(await doors.agent.claim(10)).toHaveLength(2)
    expect((await doors.http.get('/resources')).json.resources).toMatchObject([{ pattern: 'model:flux', held: 2 }])
    expect(await patch('/resources/model:flux', { capacity: -1 })).toMatchObject({
      status: 422,
      json: { field: 'capacity' },
    })
    expect(await patch('/resources/flux', { capacity: 1 })).toMatchObject({ status: 422, json: { field: 'pattern' } })
    expect((await patch('/resources/model:flux', {}, 'DELETE')).json).toEqual({ pattern: 'model:flux', removed: true })
  })
})
