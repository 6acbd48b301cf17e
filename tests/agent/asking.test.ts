import { fileURLToPath } from 'node:url'
import { describe, expect } from 'vitest'
import { waitFor } from '../support/wait-for.ts'
import { type AgentWorld, testInWorld as it } from './agent-world.ts'

const deploy = fileURLToPath(new URL('../fixtures/agent/deploy.ts', import.meta.url))

interface Asked {
  readonly id: string
  readonly message: string
  readonly context: object
  readonly is_away: boolean
}

function untilAsked(world: AgentWorld, jobId: string): Promise<Asked> {
  return waitFor(
    async () => {
      const [row] = await world.test.query<Asked>(
        `select id, message, context, is_away from interlock.requests where job_id = $1 and status = 'open'`,
        [jobId],
      )
      return row
    },
    { what: `job ${jobId} to ask` },
  )
}

const answer = (world: AgentWorld, id: string, response: object) =>
  world.test.query(`select interlock.answer_request($1, $2, 'alice')`, [id, response])

/** Asks, and goes on with what it reads on its input. */
const asksOnStdin = (question: string) => ({
  command: [
    'sh',
    '-c',
    `read -r job; echo '::interlock ask ${question}'; read -r answer; printf '::interlock result {"job": %s, "answer": %s}\\n' "$job" "$answer"`,
  ],
  answers: 'stdin' as const,
})

describe.concurrent('a module that asks', () => {
  it('is told what a person decided, and goes on', async ({ world }) => {
    await world.startAgent({ tasks: { deploy: { module: deploy } } })
    const job = await world.enqueue({ task: 'deploy', user: 'alice' })
    const asked = await untilAsked(world, job)
    expect(asked).toMatchObject({ message: 'Deploy to production?', context: { commit: 'abc\u2028def' } })
    await answer(world, asked.id, { response_type: 'rejection', message: 'Not\u2028today.', instructions: ['wait'] })
    await world.untilStatus(job, 'completed')
    expect(await world.resultOf(job)).toMatchObject({
      status: 'answered',
      type: 'rejection',
      message: 'Not\u2028today.',
      instructions: ['wait'],
      responder: 'alice',
      generatedBy: 'human',
    })
    expect(await world.timelineOf(job)).toEqual(['enqueued', 'assigned', 'started', 'asked', 'answered', 'completed'])
  })

  it('goes on after its models were used by another, and has them again under new fences', async ({ world }) => {
    const other = { command: ['sh', '-c', 'echo ready; sleep 60'] }
    await world.startAgent({ tasks: { deploy: { module: deploy }, other } })
    const job = await world.enqueue({
      task: 'deploy',
      user: 'alice',
      models: ['flux'],
      payload: { releaseModels: true },
    })
    const asked = await untilAsked(world, job)
    expect(asked.is_away).toBe(true)
    const beside = await world.enqueue({ task: 'other', user: 'bob', models: ['flux'] })
    await world.untilReady(beside)
    await answer(world, asked.id, { response_type: 'approval' })
    await waitFor(
      async () =>
        (await world.test.query(`select from interlock.jobs where kind = 'resume' and status = 'pending'`)).length ===
        1,
      { what: 'its companion to stand in line' },
    )
    expect(await world.statusOf(job)).toBe('running')
    await world.test.query('select interlock.cancel_job($1)', [beside])
    await world.untilStatus(job, 'completed')
    const { before, after, type } = (await world.resultOf(job)) as Record<string, Record<string, number>>
    expect(type).toBe('approval')
    expect(after?.['user:alice']).toBe(before?.['user:alice'])
    expect(after?.['model:flux']).toBeGreaterThan((before?.['model:flux'] ?? 0) + 1)
    expect(await world.timelineOf(job)).toEqual([
      ...['enqueued', 'assigned', 'started', 'asked', 'answered', 'resumed', 'completed'],
    ])
  })

  it('is told that nobody answered, and why it may not ask', async ({ world }) => {
    await world.startAgent({ tasks: { deploy: { module: deploy } } })
    const expiring = await world.enqueue({ task: 'deploy', user: 'alice', payload: { expiresInSeconds: 1 } })
    const wrong = await world.enqueue({ task: 'deploy', user: 'bob', payload: { wrong: true } })
    await world.untilStatus(expiring, 'completed')
    expect(await world.resultOf(expiring)).toMatchObject({ status: 'expired', type: null, message: '' })
    await world.untilStatus(wrong, 'completed')
    expect(await world.resultOf(wrong)).toEqual({ code: 'invalid_argument', field: 'message' })
  })

  it('is ended while it waits, and its question with it', async ({ world }) => {
    await world.startAgent({ tasks: { deploy: { module: deploy } }, stopGraceSeconds: 0.5 })
    const job = await world.enqueue({
      task: 'deploy',
      user: 'alice',
      models: ['flux'],
      payload: { releaseModels: true },
    })
    const { id } = await untilAsked(world, job)
    await world.test.query('select interlock.cancel_job($1)', [job])
    await world.untilStatus(job, 'cancelled')
    await waitFor(async () => (await world.timelineOf(job)).includes('request_closed'), {
      what: 'its question to be closed',
    })
    await expect(answer(world, id, { response_type: 'approval' })).rejects.toThrow('is closed')
    expect(await world.test.query('select from interlock.job_queue_state where active_job_id is not null')).toEqual([])
  })
})

describe.concurrent('a command that asks', () => {
  it('reads the answer as a line of JSON on its input, where its owner says so', async ({ world }) => {
    const task = asksOnStdin('{"id": "mine", "type": "clarification", "message": "Which branch?"}')
    await world.startAgent({ tasks: { work: task } })
    const job = await world.enqueue({ task: 'work', payload: { width: 3 } })
    const asked = await untilAsked(world, job)
    await answer(world, asked.id, { message: 'main' })
    await world.untilStatus(job, 'completed')
    expect(await world.resultOf(job)).toMatchObject({
      job: { job_id: job, payload: { width: 3 } },
      answer: { ask: 'mine', request_id: asked.id, status: 'answered', type: 'answer', message: 'main', fences: {} },
    })
  })

  it('reads there, too, why it was refused', async ({ world }) => {
    await world.startAgent({
      tasks: { typo: asksOnStdin('{"massage": "Which branch?"}'), text: asksOnStdin('Which branch?') },
    })
    const [typo, text] = [await world.enqueue({ task: 'typo' }), await world.enqueue({ task: 'text' })]
    await world.untilStatus(typo, 'completed')
    await world.untilStatus(text, 'completed')
    expect(await world.resultOf(typo)).toMatchObject({
      answer: { ask: null, status: 'refused', error: { code: 'invalid_argument', field: 'message' } },
    })
    expect(await world.resultOf(text)).toMatchObject({ answer: { status: 'refused', request_id: null } })
  })

  it('else has its input ended as ever, and may fetch the answer over HTTP', async ({ world }) => {
    const task = { command: ['sh', '-c', `cat; echo; echo '::interlock ask {"message": "Which branch?"}'; sleep 60`] }
    await world.startAgent({ tasks: { work: task }, stopGraceSeconds: 0.2 })
    const job = await world.enqueue({ task: 'work' })
    await untilAsked(world, job)
    await world.test.query('select interlock.cancel_job($1)', [job])
    await world.untilStatus(job, 'cancelled')
  })
})
