import { beforeEach, describe, expect, test } from 'vitest'
import { EngineWorld } from './engine-world.ts'

let world: EngineWorld
beforeEach(async () => {
  world = await EngineWorld.create()
})

const call = async (text: string, values: readonly unknown[] = []) =>
  (await world.query<{ answer: string }>(`select interlock.${text} as answer`, values))[0]?.answer
const claimed = async () => {
  const [job] = await world.claim(1)
  if (job === undefined) throw new Error('nothing was claimed')
  return [job.job_id, job.token] as const
}

describe('enqueue_job', () => {
  test('is enqueue_jobs() with named arguments: the job is the same, whichever is used', async () => {
    await call(`enqueue_job('work', p_user => 'alice', p_models => '{flux}', p_resources => '{gpu:0}', p_priority => '0.5',
      p_payload => '{"a": null, "b": [1]}', p_queue => 'default', p_id => 'named', p_timeout_seconds => 60, p_max_attempts => 2,
      p_retry_delays_seconds => '[1, 2]', p_project => 'p', p_kind => 'k', p_ttl_seconds => 600, p_actor => 'ann')`)
    await world.enqueue({
      ...{
        id: 'listed',
        user: 'alice',
        models: ['flux'],
        resources: ['gpu:0'],
        priority: 0.5,
        payload: { a: null, b: [1] },
      },
      ...{
        timeout_seconds: 60,
        max_attempts: 2,
        retry_delays_seconds: [1, 2],
        project: 'p',
        kind: 'k',
        ttl_seconds: 600,
      },
    })
    const shapes = await world.query(
      `select to_jsonb(j) - 'id' - 'created_at' - 'queued_at' - 'expires_at' - 'seniority' as shape from interlock.jobs as j order by id`,
    )
    expect(shapes).toHaveLength(2)
    expect(shapes[0]).toEqual(shapes[1])
    expect(await world.query(`select actor from interlock.job_queue_log where job_id = 'named'`)).toEqual([
      { actor: 'ann' },
    ])
  })

  test('returns the id, also that of the job that has the unique key already; and is undone with its transaction', async () => {
    const id = await call(`enqueue_job('work', p_unique_key => 'k')`)
    expect(await call(`enqueue_job('work', p_unique_key => 'k', p_on_duplicate => 'skip')`)).toBe(id)
    await world.query(`do $$ begin perform interlock.enqueue_job('work', p_id => 'undone'); rollback; end $$`)
    expect(await world.status('undone')).toBeNull()
  })

  test('is refused as enqueue_jobs() is, by the name of the field', async () => {
    expect(await world.refusal(`select interlock.enqueue_job('no such task!')`)).toMatchObject({ field: 'task' })
    expect(await world.refusal(`select interlock.enqueue_job(null)`)).toMatchObject({ field: 'task' })
    expect(await world.refusal(`select interlock.enqueue_job('work', p_priority => 'soon')`)).toEqual({
      code: 'invalid_argument',
      field: 'priority',
    })
    expect(await world.refusal(`select interlock.enqueue_job('work', p_queue => 'nowhere')`)).toMatchObject({
      code: 'queue_not_found',
    })
  })
})

describe('the verbs of one job', () => {
  test('start_job, complete_job: once, with the token; then it is stale', async () => {
    await world.enqueue({ id: 'a' })
    const holder = await claimed()
    expect(await world.refusal('select interlock.start_job($1, $2)', ['a', holder[1] + 1])).toMatchObject({
      code: 'stale_token',
    })
    expect(await call('start_job($1, $2)', holder)).toBe('running')
    expect(await call('complete_job($1, $2, $3)', [...holder, { done: true }])).toBe('completed')
    expect(await world.query('select result from interlock.job_results')).toEqual([{ result: { done: true } }])
    expect(await world.refusal('select interlock.complete_job($1, $2)', holder)).toMatchObject({
      code: 'stale_token',
    })
    expect(await world.timeline('a')).toEqual(['enqueued', 'assigned', 'started', 'completed'])
  })

  test('return_job gives it back, or ends it where it was asked to stop; start_job says that it was', async () => {
    await world.enqueue({ id: 'a' })
    expect(await call('return_job($1, $2)', await claimed())).toBe('pending')
    const again = await claimed()
    await world.query(`select interlock.cancel_job('a')`)
    expect(await world.refusal('select interlock.start_job($1, $2)', again)).toMatchObject({
      code: 'illegal_transition',
    })
    expect(await call('return_job($1, $2, $3)', [...again, 'stopped'])).toBe('cancelled')
    expect(await world.status('a')).toBe('cancelled')
  })
})
