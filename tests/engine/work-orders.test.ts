import { beforeEach, describe, expect, test } from 'vitest'
import { ContractError } from '../../src/domain/contract.ts'
import { checkJobRequest } from '../../src/domain/job-request.ts'
import { EngineWorld } from './engine-world.ts'

const order = {
  id: '3f0c1b8e-0001',
  task_id: 'task-1',
  work_order_id: 'order-1',
  task_type: 'bugfix',
  permission_level: 'supervised',
  priority: 'critical',
  repository_url: 'git@github.com:acme/shop.git',
  branch_name: 'fix/checkout-500',
  issue_number: 12,
  pr_number: null,
  files: ['src/checkout.ts'],
  title: 'Checkout answers 500',
  description: 'It does so when the basket is empty.',
  requirements: ['a test that fails without the fix'],
  created_at: '2026-11-22T12:00:00Z',
  timeout_seconds: 1800,
  max_retries: 3,
  retry_count: 0,
  payload: { severity: 2, note: null },
  metadata: { reporter: 'bob' },
}
const least = {
  task_type: 'docs',
  repository_url: 'https://github.com/acme/shop',
  branch_name: 'main',
  title: 'Say how to install it',
  description: 'In the README.',
}

describe('enqueue_jobs, work_order', () => {
  let world: EngineWorld
  beforeEach(async () => {
    world = await EngineWorld.create()
  })

  const enqueue = (...jobs: readonly Record<string, unknown>[]) =>
    world.query<{ job_id: string }>('select * from interlock.enqueue_jobs($1)', [JSON.stringify(jobs)])
  const job = async (id = '') => (await world.query('select * from interlock.jobs where id = $1', [id]))[0]

  test('its permission, priority, timeout and retries become the job’s, and its id; the priority chooses the queue', async () => {
    const { pr_number: _, ...withoutNull } = order
    await enqueue({ work_order: order, user: 'alice' })
    expect(await job('order-1')).toMatchObject({
      task: 'bugfix',
      kind: 'work_order',
      queue: 'high',
      permission_level: 'supervised',
      priority: 0,
      timeout_seconds: 1800,
      max_attempts: 4,
      user_name: 'alice',
      payload: { work_order: withoutNull },
    })
  })

  test('what it leaves out is filled in the payload, and is the queue’s policy for the job', async () => {
    const rows = await enqueue({ work_order: { ...least, priority: 'low' }, task: 'agent', payload: { model: 'big' } })
    const id = rows[0]?.job_id
    expect(await job(id)).toMatchObject({
      task: 'agent',
      queue: 'low',
      permission_level: 'autonomous',
      max_attempts: 2,
      timeout_seconds: 3600,
      payload: {
        model: 'big',
        work_order: {
          ...least,
          work_order_id: id,
          permission_level: 'autonomous',
          priority: 'low',
          files: [],
          requirements: [],
          metadata: {},
          payload: {},
        },
      },
    })
  })

  test('a batch of them, between other jobs, is enqueued all or none', async () => {
    const orders = Array.from({ length: 50 }, (_, n) => ({ work_order: { ...least, work_order_id: `o${n}` } }))
    await enqueue({ task: 'work', id: 'plain' }, ...orders)
    expect(
      await world.query('select count(*)::integer as n, count(distinct queue)::integer as queues from interlock.jobs'),
    ).toEqual([{ n: 51, queues: 1 }])
    expect(
      await world.refusal('select * from interlock.enqueue_jobs($1)', [
        JSON.stringify([{ work_order: least }, { task: 'work' }, { work_order: { ...least, title: '' } }]),
      ]),
    ).toEqual({ code: 'invalid_argument', field: 'jobs[2].work_order.title' })
    expect(await world.query('select count(*)::integer as n from interlock.jobs')).toEqual([{ n: 51 }])
  })

  test.each<[Record<string, unknown>, string]>([
    [{ task_type: undefined }, 'task_type'],
    [{ title: undefined }, 'title'],
    [{ description: undefined }, 'description'],
    [{ repository_url: undefined }, 'repository_url'],
    [{ branch_name: null }, 'branch_name'],
    [{ task_type: 'chore' }, 'task_type'],
    [{ permission_level: 'root' }, 'permission_level'],
    [{ priority: 'urgent' }, 'priority'],
    [{ priority: 3.5 }, 'priority'],
    [{ repository_url: '--upload-pack=touch' }, 'repository_url'],
    [{ repository_url: 'https://a b' }, 'repository_url'],
    [{ branch_name: '-b' }, 'branch_name'],
    [{ branch_name: 'a..b' }, 'branch_name'],
    [{ branch_name: 'a:b' }, 'branch_name'],
    [{ branch_name: 'a/' }, 'branch_name'],
    [{ branch_name: 'x'.repeat(256) }, 'branch_name'],
    [{ issue_number: 0 }, 'issue_number'],
    [{ issue_number: '12' }, 'issue_number'],
    [{ pr_number: 1.5 }, 'pr_number'],
    [{ files: 'a.ts' }, 'files'],
    [{ files: [1] }, 'files'],
    [{ files: [''] }, 'files'],
    [{ requirements: [{}] }, 'requirements'],
    [{ title: 'x'.repeat(301) }, 'title'],
    [{ metadata: [] }, 'metadata'],
    [{ payload: 'x' }, 'payload'],
    [{ timeout_seconds: 0 }, 'timeout_seconds'],
    [{ max_retries: 100 }, 'max_retries'],
    [{ retry_count: -1 }, 'retry_count'],
    [{ work_order_id: 'a b' }, 'work_order_id'],
    [{ task_id: '/etc' }, 'task_id'],
    [{ created_at: 'yesterday' }, 'created_at'],
    [{ colour: 'red' }, 'colour'],
  ])('refuses %.60j, in SQL and in the contract of the other doors alike', async (wrong, field) => {
    const request = { work_order: { ...least, ...wrong } }
    expect(await world.refusal('select * from interlock.enqueue_jobs($1)', [JSON.stringify([request])])).toEqual({
      code: 'invalid_argument',
      field: `work_order.${field}`,
    })
    expect(await world.query('select * from interlock.jobs')).toEqual([])
    expect(violatedFields(JSON.parse(JSON.stringify(request)))[0]).toMatch(new RegExp(`^work_order\\.${field}`))
  })

  test.each<[Record<string, unknown>, string]>([
    [{ permission_level: 'autonomous', work_order: order }, 'permission_level'],
    [{ priority: 'low', work_order: order }, 'priority'],
    [{ timeout_seconds: 60, work_order: order }, 'timeout_seconds'],
    [{ max_attempts: 3, work_order: order }, 'max_attempts'],
    [{ payload: { work_order: {} }, work_order: order }, 'payload'],
    [{ work_order: 'order-1', task: 'work' }, 'work_order'],
    [{ work_order: null, task: 'work' }, 'work_order'],
  ])('refuses %.60j: what is said twice has to be the same', async (request, field) => {
    expect(await world.refusal('select * from interlock.enqueue_jobs($1)', [JSON.stringify([request])])).toEqual({
      code: 'invalid_argument',
      field,
    })
    expect(violatedFields(request)).toContain(field)
  })

  test('the contract of the other doors takes what SQL takes', () => {
    for (const work_order of [order, least]) {
      expect(checkJobRequest({ work_order })).toMatchObject({ task: work_order.task_type, work_order })
    }
  })
})

function violatedFields(request: unknown): readonly string[] {
  try {
    checkJobRequest(request)
  } catch (error) {
    if (error instanceof ContractError) return error.violations.map(({ field }) => field)
    throw error
  }
  return []
}
