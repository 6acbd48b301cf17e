import { beforeEach, describe, expect, test } from 'vitest'
import { EngineWorld } from './engine-world.ts'

// What an enqueueing may ask for beside the job itself, asked for together.

let world: EngineWorld
beforeEach(async () => {
  world = await EngineWorld.create()
})

async function finish(id: string): Promise<void> {
  const [job] = await world.claim(1)
  expect(job?.job_id).toBe(id)
  if (job !== undefined) await world.complete(job)
}

const settle = () => world.query('select * from interlock.settle_dependents()')

describe('a job that depends on others and needs an approval', () => {
  test('waits for its parents first, then for a person, and starts when both have been', async () => {
    await world.enqueue({ id: 'parent' })
    await world.enqueue({ id: 'child', depends_on: ['parent'], permission_level: 'human_required' })
    expect(await world.status('child')).toBe('deferred')
    await finish('parent')
    await settle()
    expect(await world.status('child')).toBe('paused')
    await world.query(`select * from interlock.approve_job('child', 'looks good', 'ann')`)
    expect(await world.status('child')).toBe('pending')
  })

  test('approved before, goes on by itself; its later start is kept either way', async () => {
    const run_at = new Date(Date.now() + 3_600_000).toISOString()
    await world.enqueue({ id: 'parent' })
    const careful = { depends_on: ['parent'], permission_level: 'human_required', run_at }
    await world.enqueue({ id: 'approved', ...careful, approved_by: 'ann' }, { id: 'open', ...careful })
    await finish('parent')
    await settle()
    expect([await world.status('approved'), await world.status('open')]).toEqual(['scheduled', 'paused'])
    await world.query(`select * from interlock.approve_job('open', null, 'ann')`)
    expect(await world.status('open')).toBe('scheduled')
  })
})

describe('a batch in which one has the unique_key of an unfinished job', () => {
  test('leaves that one as it is, whatever the new one would have depended on, and writes the rest', async () => {
    await world.enqueue({ id: 'first', unique_key: 'k' }, { id: 'parent' })
    const rows = await world.query<{ job_id: string; status: string; is_duplicate: boolean }>(
      'select job_id, status, is_duplicate from interlock.enqueue_jobs($1) order by ordinal',
      [
        JSON.stringify([
          { task: 'work', id: 'again', unique_key: 'k', depends_on: ['parent'] },
          { task: 'work', id: 'careful', permission_level: 'human_required', approved_by: 'ann' },
          { task: 'work', id: 'child', depends_on: ['parent'] },
        ]),
      ],
    )
    expect(rows).toEqual([
      { job_id: 'first', status: 'pending', is_duplicate: true },
      { job_id: 'careful', status: 'pending', is_duplicate: false },
      { job_id: 'child', status: 'deferred', is_duplicate: false },
    ])
    expect(await world.query('select job_id, parent_id from interlock.job_dependencies')).toEqual([
      { job_id: 'child', parent_id: 'parent' },
    ])
    expect(await world.timeline('careful')).toEqual(['enqueued', 'approved'])
    expect(await world.status('again')).toBeNull()
    expect(await world.violations()).toEqual([])
  })
})

test('nobody depends on one of the batch that is not enqueued, as an unfinished job has its unique_key', async () => {
  await world.enqueue({ id: 'first', unique_key: 'k' })
  const batch = [
    { task: 'work', id: 'again', unique_key: 'k' },
    { task: 'work', id: 'child', depends_on: ['again'] },
  ]
  expect(await world.refusal('select * from interlock.enqueue_jobs($1)', [JSON.stringify(batch)])).toEqual({
    code: 'idempotency_conflict',
    field: 'jobs[1].depends_on',
  })
  expect(await world.status('child')).toBeNull()
})

describe('requeueing all that is dead', () => {
  test('leaves what has the unique_key of an unfinished job, and of several dead ones takes the newest', async () => {
    for (const id of ['a', 'b']) {
      await world.enqueue({ id, unique_key: 'k', max_attempts: 1 })
      const [job] = await world.claim(1)
      if (job !== undefined) await world.fail(job, 'never')
    }
    const all = `select changed from interlock.change_jobs('requeue', '{"all": true}')`
    expect(await world.query(all)).toEqual([{ changed: 1 }])
    expect([await world.status('a'), await world.status('b')]).toEqual(['failed', 'pending'])
    expect(await world.query(all)).toEqual([{ changed: 0 }])
    expect(await world.refusal(`select * from interlock.requeue_job('a')`)).toEqual({
      code: 'idempotency_conflict',
      field: 'unique_key',
    })
  })
})
