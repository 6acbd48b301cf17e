import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { waitFor } from '../support/wait-for.ts'
import { EngineWorld } from './engine-world.ts'

let world: EngineWorld
let person: string

beforeAll(async () => {
  world = await EngineWorld.create()
})
beforeEach(async () => {
  const [row] = await world.query<{ agent_id: string }>(
    `select agent_id
     from interlock.register_agent('reviewed', '{default,high,low}', 100, null, '{autonomous,supervised,human_required}', p_lease_seconds => 3600)`,
  )
  person = row?.agent_id ?? ''
})

const asked = (job: Record<string, unknown> = {}) => world.enqueue({ permission_level: 'human_required', ...job })
const approve = 'select status from interlock.approve_job($1, $2, $3)'
const reject = 'select status from interlock.reject_job($1, $2, $3)'
const start = 'select status from interlock.start_paused_job($1)'

describe('a human_required job', () => {
  test('waits for an approval: no agent of its level gets it before, and one does afterwards', async () => {
    const [id = ''] = await asked()
    expect(await world.status(id)).toBe('paused')
    expect(await world.claim(100, person)).toEqual([])
    expect(await world.refusal(start, [id])).toEqual({ code: 'not_permitted', field: null })

    expect(await world.query(approve, [id, 'read it', 'ann'])).toEqual([{ status: 'pending' }])
    expect(await world.claimedIds(100, world.agent)).toEqual([])
    const [job] = await world.claim(100, person)
    expect(job?.job_id).toBe(id)
    const [event] = await world.query(
      `select event_type, from_status, to_status, actor, conflict_reason as reason from interlock.job_queue_log
       where job_id = $1 and event_type = 'approved'`,
      [id],
    )
    expect(event).toEqual({
      event_type: 'approved',
      from_status: 'paused',
      to_status: 'pending',
      actor: 'ann',
      reason: 'read it',
    })
    // Approved once, it is approved: a failed attempt sends nobody to ask again.
    if (job !== undefined) expect(await world.fail(job, 'now')).toBe('pending')
    for (const again of await world.claim(100, person)) await world.complete(again)
  })

  test('that was approved before is pending at once, and the log names who approved it', async () => {
    const [id = ''] = await asked({ approved_by: 'bob' })
    expect(await world.status(id)).toBe('pending')
    expect(await world.timeline(id)).toEqual(['enqueued', 'approved'])
    const [event] = await world.query(
      `select actor from interlock.job_queue_log where job_id = $1 and event_type = 'approved'`,
      [id],
    )
    expect(event).toEqual({ actor: 'bob' })
    for (const job of await world.claim(100, person)) await world.complete(job)
  })

  test('that is rejected is cancelled for the reason given, and cannot be approved any more', async () => {
    const [id = ''] = await asked()
    expect(await world.query(reject, [id, 'not now', 'ann'])).toEqual([{ status: 'cancelled' }])
    expect(await world.timeline(id)).toEqual(['enqueued', 'rejected', 'cancelled'])
    const [ended] = await world.query('select outcome, reason from interlock.task_history where job_id = $1', [id])
    expect(ended).toEqual({ outcome: 'cancelled', reason: 'not now' })
    expect(await world.refusal(approve, [id, null, null])).toMatchObject({ code: 'illegal_transition' })
  })

  test('approved before its time waits for its time', async () => {
    const [id = ''] = await asked({ delay_seconds: 60 })
    expect(await world.query(approve, [id, null, null])).toEqual([{ status: 'scheduled' }])
    await world.test.advanceClock(61)
    await world.query('select interlock.promote_due_jobs()')
    expect(await world.claimedIds(100, person)).toEqual([id])
  })

  test('cannot be made pending by a statement of one’s own: the schema refuses it', async () => {
    const [id = ''] = await asked()
    await expect(
      world.query(`update interlock.jobs set status = 'pending', queued_at = now(), seniority = now() where id = $1`, [
        id,
      ]),
    ).rejects.toMatchObject({ message: expect.stringContaining('jobs_pending_may_start') })
    await world.query(reject, [id, null, null])
  })

  test('that two decide on at once is decided once: who comes second waits, and is refused', async () => {
    const [id = ''] = await asked()
    const decided = await world.test.database.transaction(async (first) => {
      await first.query(approve, [id, null, 'ann'])
      const second = world.refusal(reject, [id, null, 'bob'])
      await waitFor(
        async () =>
          (
            await world.query(
              `select from pg_stat_activity where wait_event_type = 'Lock' and query like '%reject_job%'`,
            )
          ).length > 0,
        { what: 'the second to wait for the first' },
      )
      return { second }
    })
    expect(await decided.second).toMatchObject({ code: 'illegal_transition' })
    expect(await world.status(id)).toBe('pending')
    for (const job of await world.claim(100, person)) await world.complete(job)
  })

  test('is explained as waiting for a person', async () => {
    const [id = ''] = await asked()
    const [row] = await world.query<{ explanation: { sentence: string } }>(
      'select interlock.explain_job($1) as explanation',
      [id],
    )
    expect(JSON.stringify(row)).toContain('waits for an approval')
    await world.query(reject, [id, null, null])
  })
})

describe('a supervised job', () => {
  test('goes to agents that registered for its level, whatever route another names', async () => {
    const [id = ''] = await world.enqueue({ permission_level: 'supervised' })
    await world.absorb()
    const [row] = await world.query<{ jobs: unknown }>(
      `select jobs from interlock.claim_jobs($1, '{default/supervised}', 1)`,
      [world.agent],
    )
    expect(row?.jobs).toEqual([])
    expect(await world.claimedIds(100, person)).toEqual([id])
  })
})

test.each([
  ['approve_job', 'an autonomous job that is paused', { start: false }, 'illegal_transition'],
  ['approve_job', 'one that is pending', {}, 'illegal_transition'],
  ['reject_job', 'one that is pending', {}, 'illegal_transition'],
])('%s refuses %s', async (verb, _what, job, code) => {
  const [id = ''] = await world.enqueue(job)
  expect(await world.refusal(`select interlock.${verb}($1)`, [id])).toMatchObject({ code, field: 'job_id' })
  await world.query('select interlock.cancel_job($1)', [id])
})

test.each(['approve_job', 'reject_job', 'release_job'])('%s refuses a job that nobody has', async (verb) => {
  expect(await world.refusal(`select interlock.${verb}('nobody')`)).toMatchObject({ code: 'job_not_found' })
})

test('enqueue_jobs refuses approved_by of a job that needs no approval', async () => {
  expect(await world.refusal(`select interlock.enqueue_jobs('[{"task": "t", "approved_by": "ann"}]')`)).toEqual({
    code: 'invalid_argument',
    field: 'approved_by',
  })
})

test('release_job asks a running job to stop, ends a lock at once, and refuses what holds nothing', async () => {
  const [id = ''] = await world.enqueue({ user: 'zoe' })
  expect(await world.refusal('select interlock.release_job($1)', [id])).toEqual({ code: 'not_held', field: 'job_id' })
  const [job] = await world.claim()
  expect(await world.query(`select status from interlock.release_job($1, 'hangs')`, [id])).toEqual([
    { status: 'cancelling' },
  ])
  if (job !== undefined) await world.fail(job)
  const [lock] = await world.query<{ lock_id: string }>(
    `select lock_id from interlock.acquire_lock('{user:zoe}', 'ann', 60, 10)`,
  )
  expect(await world.claimedIds(100, 'locks.0')).toEqual([lock?.lock_id])
  expect(await world.query('select status from interlock.release_job($1)', [lock?.lock_id])).toEqual([
    { status: 'released' },
  ])
})
