import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCli } from '../cli/run-cli.ts'
import { type Doors, openDoors } from './cli-and-http.ts'

/** As the old system's `to_dict()` writes it. */
const order = {
  id: '8a0c9c6e-4f7b-4a57-9d0e-6b6f1f1c0001',
  task_id: '8a0c9c6e-4f7b-4a57-9d0e-6b6f1f1c0002',
  work_order_id: 'order-1',
  task_type: 'feature',
  permission_level: 'autonomous',
  priority: 'high',
  repository_url: 'https://github.com/test/repo',
  branch_name: 'main',
  issue_number: null,
  pr_number: 7,
  files: ['a.ts', 'b.ts'],
  title: 'Test task',
  description: 'Test description',
  requirements: ['tests pass'],
  created_at: '2026-11-22T12:00:00.123456',
  timeout_seconds: 1200,
  max_retries: 2,
  retry_count: 0,
  payload: { extra: true },
  metadata: { team: 'shop' },
}

describe('feature 14: work orders, and batches of them', () => {
  let doors: Doors
  beforeAll(async () => {
    doors = await openDoors()
  })
  afterAll(() => doors.close())

  it('over HTTP: the answer is the job, under the work order’s id, in the queue of its priority', async () => {
    const { status, json, headers } = await doors.http.post('/jobs', {
      work_order: order,
      user: 'alice',
      project: 'shop',
    })
    const { issue_number: _, ...kept } = order
    expect(status).toBe(201)
    expect(headers.get('location')).toBe('/jobs/order-1')
    expect(json).toMatchObject({
      id: 'order-1',
      task: 'feature',
      kind: 'work_order',
      queue: 'high',
      priority: 'high',
      permission_level: 'autonomous',
      timeout_seconds: 1200,
      max_attempts: 3,
      project: 'shop',
      resources: ['user:alice'],
      payload: { work_order: kept },
    })
    expect((await doors.http.get('/jobs?project=shop')).json.jobs).toMatchObject([{ id: 'order-1' }])
    expect((await doors.http.post('/jobs', { work_order: order })).json).toMatchObject({
      status: 409,
      code: 'idempotency_conflict',
    })
  })

  it('in batches, all or none, each fault named with its place', async () => {
    const jobs = Array.from({ length: 20 }, (_, n) => ({ work_order: { ...order, work_order_id: `batch-${n}` } }))
    expect((await doors.http.post('/jobs/batch', { jobs })).json).toMatchObject({
      count: 20,
      jobs: jobs.map((_, n) => ({ id: `batch-${n}` })),
    })
    const wrong = [
      { work_order: { ...order, work_order_id: 'x' } },
      { work_order: { ...order, work_order_id: 'y', task_type: 'chore' } },
    ]
    expect((await doors.http.post('/jobs/batch', { jobs: wrong })).json).toMatchObject({
      status: 422,
      field: 'jobs[1].work_order.task_type',
    })
    expect((await doors.http.get('/jobs/x')).status).toBe(404)
  })

  it('from the command line, over a database and HTTP; a job that contradicts its order is refused', async () => {
    for (const [env, id] of [
      [{ DATABASE_URL: doors.test.url }, 'by-database'],
      [{ INTERLOCK_URL: doors.http.url }, 'by-http'],
    ] as const) {
      const work = JSON.stringify({ ...order, work_order_id: id, permission_level: 'human_required' })
      const args = ['queue', 'add', '--work-order', '-', '--json']
      const added = await runCli(args, { env, stdin: work })
      expect(JSON.parse(added.stdout)).toMatchObject({ id, task: 'feature', permission_level: 'human_required' })
      const lax = await runCli([...args, '--id', 'lax', '--permission', 'autonomous'], { env, stdin: work })
      expect(lax.code).toBe(2)
      expect(lax.stderr).toContain('permission_level is not what the work order says')
    }
  })

  it('in SQL, inside the caller’s own transaction', async () => {
    const rows = await doors.test.query('select job_id, status from interlock.enqueue_jobs($1)', [
      JSON.stringify([{ work_order: { ...order, work_order_id: 'by-sql' }, start: false }]),
    ])
    expect(rows).toEqual([{ job_id: 'by-sql', status: 'paused' }])
  })
})
