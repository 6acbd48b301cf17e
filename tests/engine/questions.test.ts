import { beforeEach, describe, expect, test } from 'vitest'
import { type Assigned, EngineWorld } from './engine-world.ts'

interface Asked {
  readonly request_id: string
  readonly status: string
  readonly expires_at: Date
  readonly given_back: readonly string[] | null
}

let world: EngineWorld
beforeEach(async () => {
  world = await EngineWorld.create()
})

const askText = 'select * from interlock.ask($1, $2, $3, $4)'

async function ask(job: Assigned, request: Record<string, unknown> = {}, key: string | null = null): Promise<Asked> {
  const [row] = await world.query<Asked>(askText, [
    job.job_id,
    job.token,
    { message: 'Which branch?', ...request },
    key,
  ])
  if (row === undefined) throw new Error('ask returned no row')
  return row
}

const answerText = 'select * from interlock.answer_request($1, $2, $3)'

async function answer(id: string, response: Record<string, unknown> = { message: 'main' }): Promise<void> {
  await world.query(answerText, [id, response, 'alice'])
}

async function run(job: Record<string, unknown>, agent = world.agent): Promise<Assigned> {
  const [id] = await world.enqueue(job)
  const claimed = (await world.claim(100, agent)).find(({ job_id }) => job_id === id)
  if (claimed === undefined) throw new Error(`${id} was not claimed`)
  await world.start(claimed)
  return claimed
}

async function requestOf(id: string): Promise<Record<string, unknown>> {
  const [row] = await world.query('select * from interlock.requests where id = $1', [id])
  return row ?? {}
}

async function settle(): Promise<number> {
  const [row] = await world.query<{ n: number }>('select interlock.expire_requests() as n')
  return row?.n ?? 0
}

async function explain(id: string): Promise<string> {
  const [row] = await world.query<{ sentence: string }>(`select interlock.explain_job($1) ->> 'sentence' as sentence`, [
    id,
  ])
  return row?.sentence ?? ''
}

const wrongRequests: readonly (readonly [unknown, string])[] = [
  [{}, 'message'],
  [{ message: '' }, 'message'],
  [{ message: 7 }, 'message'],
  [{ message: 'x'.repeat(16_385) }, 'message'],
  [{ message: 'm', request_type: 'order' }, 'request_type'],
  [{ message: 'm', context: [] }, 'context'],
  [{ message: 'm', context: { a: 'x'.repeat(65_536) } }, 'context'],
  [{ message: 'm', expires_in_seconds: 0 }, 'expires_in_seconds'],
  [{ message: 'm', expires_in_seconds: '5' }, 'expires_in_seconds'],
  [{ message: 'm', conversation_id: '' }, 'conversation_id'],
  [{ message: 'm', release_models: 'yes' }, 'release_models'],
  [{ message: 'm', release_resources: [] }, 'release_resources'],
  [{ message: 'm', release_resources: ['model:flux'], release_models: true }, 'release_resources'],
  [{ message: 'm', release_resources: ['model:other'] }, 'release_resources'],
  [{ message: 'm', release_resources: ['user:alice'] }, 'release_resources'],
  // Not without model:wan, which comes after it in resource order.
  [{ message: 'm', release_resources: ['model:flux'] }, 'release_resources'],
  [{ message: 'm', releases: true }, 'releases'],
  [[], 'request'],
]

const wrongResponses: readonly (readonly [unknown, string])[] = [
  [{ response_type: 'maybe' }, 'response_type'],
  [{ message: 'x'.repeat(16_385) }, 'message'],
  [{ message: 'm', generated_by: 'dice' }, 'generated_by'],
  [{ message: 'm', responder_id: '' }, 'responder_id'],
  [{ message: 'm', instructions: 'pull' }, 'instructions'],
  [{ message: 'm', instructions: [''] }, 'instructions'],
  [{ message: 'm', answer: 'm' }, 'answer'],
  [[], 'response'],
]

describe('ask', () => {
  test('writes a question of the holder, open for 30 minutes, in a thread of its own, and its event', async () => {
    const job = await run({ user: 'alice' })
    const asked = await ask(job, { request_type: 'clarification', context: { file: 'a.ts' } })
    expect(asked).toMatchObject({ status: 'open', given_back: null })
    const request = await requestOf(asked.request_id)
    expect(request).toMatchObject({
      job_id: job.job_id,
      agent_id: world.agent,
      request_type: 'clarification',
      message: 'Which branch?',
      context: { file: 'a.ts' },
      conversation_id: asked.request_id,
      user_name: 'alice',
      response_id: null,
    })
    expect(Number(request.expires_at) - Number(request.created_at)).toBe(1_800_000)
    expect(await world.timeline(job.job_id)).toEqual(['enqueued', 'assigned', 'started', 'asked'])
    expect(await explain(job.job_id)).toMatch(
      /and waits for an answer of a person to "Which branch\?" \(clarification q-a1, for another 30 minutes\)\.$/,
    )
  })

  test('waits as long as its queue says, or as it says itself', async () => {
    await world.query(`select interlock.set_queue('default', '{"request_ttl_seconds": 60}')`)
    const job = await run({})
    const lasts = async (fields: Record<string, unknown>) => {
      const request = await requestOf((await ask(job, fields)).request_id)
      return (Number(request.expires_at) - Number(request.created_at)) / 1000
    }
    expect(await lasts({})).toBe(60)
    expect(await lasts({ expires_in_seconds: 5 })).toBe(5)
  })

  test('asked again with its key is the same question', async () => {
    const job = await run({})
    const first = await ask(job, {}, 'k1')
    expect((await ask(job, {}, 'k1')).request_id).toBe(first.request_id)
    expect((await ask(job, {}, 'k2')).request_id).not.toBe(first.request_id)
    expect((await world.timeline(job.job_id)).filter((event) => event === 'asked')).toHaveLength(2)
  })

  test('goes on with the conversation of the message that it follows on', async () => {
    const job = await run({})
    const first = await ask(job, { conversation_id: 'release-7' })
    await answer(first.request_id)
    const { response_id: parent } = await requestOf(first.request_id)
    const second = await ask(job, { parent_message_id: parent })
    expect(await requestOf(second.request_id)).toMatchObject({
      conversation_id: 'release-7',
      parent_message_id: parent,
    })
    expect(
      await world.refusal(askText, [job.job_id, job.token, { message: 'm', parent_message_id: 'q-z9' }, null]),
    ).toEqual({ code: 'invalid_argument', field: 'parent_message_id' })
    const other = { message: 'm', parent_message_id: parent, conversation_id: 'other' }
    expect(await world.refusal(askText, [job.job_id, job.token, other, null])).toEqual({
      code: 'invalid_argument',
      field: 'conversation_id',
    })
  })

  test('refuses what is wrong by name, and changes nothing', async () => {
    const job = await run({ user: 'alice', models: ['flux', 'wan'] })
    const before = await world.timeline(job.job_id)
    for (const [request, field] of wrongRequests) {
      const refused = await world.refusal(askText, [job.job_id, job.token, JSON.stringify(request), null])
      expect(refused, field).toEqual({ code: 'invalid_argument', field })
    }
    expect(await world.query('select from interlock.job_messages')).toEqual([])
    expect(await world.timeline(job.job_id)).toEqual(before)
  })

  test('is for the holder of a job that runs', async () => {
    const [id = ''] = await world.enqueue({ user: 'alice' })
    const request = { message: 'm' }
    expect((await world.refusal(askText, [id, 1, request, null])).code).toBe('stale_token')
    expect((await world.refusal(askText, ['nobody', 1, request, null])).code).toBe('job_not_found')
    const [job] = await world.claim()
    if (job === undefined) throw new Error('it was not claimed')
    expect((await world.refusal(askText, [id, job.token, request, null])).code).toBe('illegal_transition')
    await world.start(job)
    expect((await world.refusal(askText, [id, job.token - 1, request, null])).code).toBe('stale_token')
    for (let n = 0; n < 32; n++) await ask(job)
    expect((await world.refusal(askText, [id, job.token, request, null])).code).toBe('illegal_transition')
    await world.query('select interlock.cancel_job($1)', [id])
    expect((await world.refusal(askText, [id, job.token, request, null])).code).toBe('illegal_transition')
  })
})

describe('answer_request', () => {
  test('answers once: the second is refused by name', async () => {
    const job = await run({})
    const { request_id: id } = await ask(job)
    await answer(id, { message: 'main', instructions: ['pull', 'build'] })
    expect(await requestOf(id)).toMatchObject({
      status: 'answered',
      response_type: 'answer',
      response: 'main',
      instructions: ['pull', 'build'],
      generated_by: 'human',
      responder_id: 'alice',
    })
    await expect(answer(id, { message: 'dev' })).rejects.toThrow(`request ${id} was answered already by alice`)
    expect(await requestOf(id)).toMatchObject({ response: 'main' })
    expect((await world.timeline(job.job_id)).slice(-2)).toEqual(['asked', 'answered'])
    expect(await explain(job.job_id)).not.toContain('person')
  })

  test('takes approval or rejection to an approval, and neither to a question', async () => {
    const job = await run({})
    const { request_id: approval } = await ask(job, { request_type: 'approval', message: 'Deploy?' })
    const { request_id: question } = await ask(job)
    const refused = { code: 'invalid_argument', field: 'response_type' }
    expect(await world.refusal(answerText, [approval, { message: 'sure' }, null])).toEqual(refused)
    expect(await world.refusal(answerText, [approval, { response_type: 'answer', message: 'yes' }, null])).toEqual(
      refused,
    )
    expect(await world.refusal(answerText, [question, { response_type: 'approval' }, null])).toEqual(refused)
    expect(await world.refusal(answerText, [question, {}, null])).toEqual({
      code: 'invalid_argument',
      field: 'message',
    })
    await answer(approval, { response_type: 'rejection', generated_by: 'automated', responder_id: 'policy' })
    expect(await requestOf(approval)).toMatchObject({
      response_type: 'rejection',
      response: '',
      generated_by: 'automated',
      responder_id: 'policy',
    })
    await answer(question, { response_type: 'instruction', message: 'Use main.' })
  })

  test('refuses what is wrong by name, and leaves the request open', async () => {
    const { request_id: id } = await ask(await run({}))
    for (const [response, field] of wrongResponses) {
      const refused = await world.refusal(answerText, [id, JSON.stringify(response), null])
      expect(refused, field).toEqual({ code: 'invalid_argument', field })
    }
    expect(await requestOf(id)).toMatchObject({ status: 'open' })
  })

  test('comes too late when nobody answered in time: the request has expired, before the tick and after', async () => {
    const job = await run({})
    const { request_id: id } = await ask(job)
    await world.test.advanceClock(1801)
    await expect(answer(id)).rejects.toThrow(`request ${id} has expired`)
    expect(await requestOf(id)).toMatchObject({ status: 'expired', state: 'open' })
    expect(await settle()).toBe(1)
    expect(await settle()).toBe(0)
    await expect(answer(id)).rejects.toThrow(`request ${id} has expired`)
    expect((await world.timeline(job.job_id)).at(-1)).toBe('request_expired')
  })

  test.each(['completed', 'returned', 'lost'])('comes too late when its claim has ended: %s', async (how) => {
    const job = await run({})
    const { request_id: id } = await ask(job, { expires_in_seconds: 7200 })
    if (how === 'completed') await world.complete(job)
    if (how === 'returned')
      await world.query('select interlock.return_jobs($1, $2, $3)', [[job.job_id], [job.token], 'because'])
    if (how === 'lost') {
      await world.test.advanceClock(3601)
      await world.query('select interlock.sweep_agent($1)', [world.agent])
    }
    await expect(answer(id)).rejects.toThrow(`request ${id} is closed`)
    expect(await requestOf(id)).toMatchObject({ status: 'closed', state: 'open' })
    expect(await settle()).toBe(1)
    expect((await world.timeline(job.job_id)).at(-1)).toBe('request_closed')
    await expect(answer(id)).rejects.toThrow(`request ${id} is closed`)
  })

  test('knows no request that never was', async () => {
    expect(await world.refusal(answerText, ['q-a1', { message: 'm' }, null])).toEqual({
      code: 'job_not_found',
      field: 'request_id',
    })
  })
})

test('prune_history lets questions go with the log, but for those that wait', async () => {
  const [old, waits] = [await run({ user: 'a' }), await run({ user: 'b' })]
  const { request_id: gone } = await ask(old)
  await answer(gone)
  await world.complete(old)
  const { request_id: kept } = await ask(waits, { expires_in_seconds: 2_592_000 })
  await world.test.advanceClock(8 * 86_400)
  await world.query('select interlock.prune_history(7, 365)')
  expect(await world.query('select id from interlock.job_messages')).toEqual([{ id: kept }])
})
