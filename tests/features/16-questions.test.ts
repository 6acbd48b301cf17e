import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AgentWorld } from '../agent/agent-world.ts'
import { runCli } from '../cli/run-cli.ts'
import { type HttpDoor, openHttpDoor } from '../http/http-door.ts'
import { waitFor } from '../support/wait-for.ts'

const deploy = fileURLToPath(new URL('../fixtures/agent/deploy.ts', import.meta.url))
let world: AgentWorld
let door: HttpDoor

beforeAll(async () => {
  world = await AgentWorld.create()
  door = await openHttpDoor(world.test)
  await world.startAgent({
    slots: 8,
    url: door.url,
    tasks: { deploy: { module: deploy }, render: { command: ['sh', '-c', 'echo ready; sleep 60'] } },
  })
})
afterAll(async () => {
  await door.server.stop()
  await world.close()
})

const interlock = (...args: string[]) => runCli(args, { env: { INTERLOCK_URL: door.url } })

const openRequestOf = (job: string) =>
  waitFor(async () => (await door.get(`/requests?status=open&job=${job}`)).json.requests[0], {
    what: `job ${job} to ask`,
  })

describe('feature 16: messages between a worker and its controller', () => {
  test('a worker asks for an approval; a person sees it, answers by the command line, and the worker goes on', async () => {
    const { json: job } = await door.post('/jobs', { task: 'deploy', user: 'alice' })
    const request = await openRequestOf(job.id)
    const [listed, shown] = await Promise.all([interlock('questions', 'list'), interlock('job', 'explain', job.id)])
    expect(listed.stdout).toMatch(new RegExp(`${request.id} +${job.id} +alice +approval`))
    expect(shown.stdout).toContain('waits for an answer of a person to "Deploy to production?"')
    const answered = await interlock('questions', 'answer', request.id, '--type', 'approval', '--by', 'ann')
    expect(answered, answered.stderr).toMatchObject({ code: 0 })
    const { json: ended } = await door.get(`/jobs/${job.id}/wait?timeout_seconds=20`)
    expect(ended).toMatchObject({ status: 'completed', result: { type: 'approval', responder: 'ann' } })
    const events = (await door.get(`/jobs/${job.id}/timeline`)).json.events
    expect(events.map((event: { event_type: string }) => event.event_type)).toContain('answered')
  })

  test('the messages have the fields that workers and controllers know, and make a thread', async () => {
    const { json: job } = await door.post('/jobs', { task: 'deploy', user: 'bob' })
    const first = await openRequestOf(job.id)
    const { json: answered } = await door.post(`/requests/${first.id}/response`, {
      response_type: 'rejection',
      message: 'Not on a Friday.',
      instructions: ['Wait until Monday.'],
      generated_by: 'automated',
      responder_id: 'calendar',
    })
    const rows = await world.test.query(
      `select id, agent_id is not null as has_worker, job_id, request_type, response_type, message, context, instructions, generated_by,
         responder_id, conversation_id, parent_message_id, extract(epoch from expires_at - created_at)::integer as ttl_seconds
       from interlock.job_messages where conversation_id = $1 order by created_at`,
      [first.id],
    )
    const common = { has_worker: true, job_id: job.id, conversation_id: first.id }
    expect(rows).toEqual([
      {
        ...common,
        id: first.id,
        request_type: 'approval',
        response_type: null,
        message: 'Deploy to production?',
        context: { commit: 'abc\u2028def' },
        instructions: null,
        generated_by: null,
        responder_id: null,
        parent_message_id: null,
        ttl_seconds: 1800,
      },
      {
        ...common,
        id: answered.response.id,
        request_type: null,
        response_type: 'rejection',
        message: 'Not on a Friday.',
        context: {},
        instructions: ['Wait until Monday.'],
        generated_by: 'automated',
        responder_id: 'calendar',
        parent_message_id: first.id,
        ttl_seconds: null,
      },
    ])
    const again = await door.post(`/requests/${first.id}/response`, { response_type: 'approval' })
    expect(again.json).toMatchObject({ status: 409, detail: `request ${first.id} was answered already by calendar` })
    await world.untilStatus(job.id, 'completed')
  })

  test('a question that nobody answers in time expires, and its worker is told', async () => {
    const { json: job } = await door.post('/jobs', { task: 'deploy', user: 'carol', payload: { expiresInSeconds: 1 } })
    const { json: ended } = await door.get(`/jobs/${job.id}/wait?timeout_seconds=20`)
    expect(ended).toMatchObject({ status: 'completed', result: { status: 'expired', type: null } })
    const { json } = await door.get(`/requests?job=${job.id}`)
    expect(json.requests).toMatchObject([{ status: 'expired', response: null }])
  })

  test('while a job waits for a person another one uses its model; it has it again before it goes on', async () => {
    const payload = { releaseModels: true }
    const { json: job } = await door.post('/jobs', { task: 'deploy', user: 'dan', model: 'flux', payload })
    const request = await openRequestOf(job.id)
    expect(request).toMatchObject({ given_back: ['model:flux'] })
    const { json: other } = await door.post('/jobs', { task: 'render', user: 'erin', model: 'flux' })
    await world.untilReady(other.id)
    await door.post(`/requests/${request.id}/response`, { response_type: 'approval' })
    await waitFor(
      async () => (await door.get(`/jobs/${job.id}/explain`)).json.sentence.includes('has to have model:flux again'),
      { what: 'it to wait for its model' },
    )
    await door.post(`/jobs/${other.id}/cancel`)
    const { json: ended } = await door.get(`/jobs/${job.id}/wait?timeout_seconds=20`)
    expect(ended).toMatchObject({ status: 'completed', result: { type: 'approval' } })
    expect(ended.result.after['model:flux']).toBeGreaterThan(ended.result.before['model:flux'])
  })
})
