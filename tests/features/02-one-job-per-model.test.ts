import { beforeEach, describe, expect, test } from 'vitest'
import { type HttpDoor, openHttpDoor } from '../http/http-door.ts'
import { TestAgent } from '../http/test-agent.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'

// The first two tests of the model coordinator's guide, in its own bodies.

let db: TestDatabase
let door: HttpDoor
let agent: TestAgent

beforeEach(async () => {
  db = await createTestDatabase()
  door = await openHttpDoor(db)
  agent = await TestAgent.register(db)
  return () => door.server.stop()
})

const knight = {
  title: 'Knight style, image to video',
  steps: [
    { name: 'style', default_model: 'nano-banana-pro-leonardo' },
    { name: 'animate', default_model: 'motion-2.0-fast' },
  ],
}

const events = (id: string) =>
  db.query(`select event_type, conflict_reason from interlock.job_queue_log where job_id = $1 order by id`, [id])

describe('feature 2: one running job per model, and all the models of a workflow or none', () => {
  test('normal job coordination: the second job of a model is queued, and starts when the first completes', async () => {
    const body = { prompt: 'A knight riding a horse', model: 'motion-2.0-fast', job_type: 'video' }
    const first = await door.post('/jobs', body)
    const one = await agent.claimOne()
    expect(one.job_id).toBe(first.json.id)
    const second = await door.post('/jobs', { ...body, prompt: 'A dragon flying' })
    expect(await agent.claim()).toEqual([])

    const reason = `Model conflict: motion-2.0-fast in use by normal job ${first.json.id}`
    expect((await door.get(`/jobs/${second.json.id}`)).json).toMatchObject({
      status: 'pending',
      payload: { prompt: 'A dragon flying' },
      blocked_by_job_id: first.json.id,
      conflict_reason: reason,
      queue_position: 1,
    })
    const status = (await door.get('/queue/status')).json
    expect(status).toMatchObject({
      active_job: { job_id: first.json.id, models: ['motion-2.0-fast'] },
      queued_jobs: [{ job_id: second.json.id, blocked_by_job_id: first.json.id, conflict_reason: reason }],
      queue_length: 1,
    })
    await agent.complete(one, { url: 'knight.mp4' })
    expect((await agent.claimOne()).job_id).toBe(second.json.id)
    expect(await events(second.json.id)).toMatchObject([
      { event_type: 'enqueued' },
      { event_type: 'blocked', conflict_reason: reason },
      { event_type: 'assigned' },
      { event_type: 'started' },
    ])
  })

  test('workflow against normal job: the workflow has all its models from the start, and the job waits for its end', async () => {
    expect((await door.send('PUT', '/workflows/knight-style-img-to-video', json(knight))).status).toBe(201)
    const execution = await door.post('/workflows/knight-style-img-to-video/execute', {
      input_image: 'https://example.com/user.jpg',
    })
    expect(execution).toMatchObject({
      status: 201,
      json: { required_models: ['nano-banana-pro-leonardo', 'motion-2.0-fast'], blocked_by_job_id: null },
    })
    const run = await agent.claimOne()
    expect(run.job_id).toBe(execution.json.id)
    const normal = await door.post('/jobs', {
      prompt: 'A cinematic video',
      model: 'motion-2.0-fast',
      job_type: 'video',
    })
    expect(await agent.claim()).toEqual([])
    expect((await door.get(`/jobs/${normal.json.id}`)).json).toMatchObject({
      status: 'pending',
      blocked_by_job_id: run.job_id,
      conflict_reason: `Model conflict: motion-2.0-fast in use by workflow job ${run.job_id}`,
    })
    expect((await door.get('/queue/status')).json.active_job).toEqual({
      job_id: run.job_id,
      job_type: 'workflow',
      models: ['motion-2.0-fast', 'nano-banana-pro-leonardo'],
    })
    await agent.complete(run)
    expect((await agent.claimOne()).job_id).toBe(normal.json.id)
    expect((await door.get(`/workflow-executions/${run.job_id}`)).json).toMatchObject({ status: 'completed' })
  })

  test('the other way round, the workflow waits with none of its models held', async () => {
    await door.send('PUT', '/workflows/knight', json(knight))
    await door.post('/jobs', { id: 'video', prompt: 'x', model: 'motion-2.0-fast', job_type: 'video' })
    const video = await agent.claimOne()
    const { id } = (await door.post('/workflows/knight/execute', {})).json
    await door.post('/jobs', { id: 'image', prompt: 'x', model: 'nano-banana-pro-leonardo', job_type: 'image' })
    const [image] = await agent.claim()
    expect(image?.job_id).toBe('image')
    expect((await door.get(`/workflow-executions/${id}`)).json).toMatchObject({
      status: 'pending',
      current_step: null,
      blocked_by_job_id: 'video',
      conflict_reason: 'Model conflict: motion-2.0-fast in use by normal job video',
    })
    await agent.complete(video)
    expect(await agent.claim()).toEqual([])
    await agent.complete(image as never)
    expect((await agent.claimOne()).job_id).toBe(id)
  })
})

function json(body: unknown): RequestInit {
  return { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
}
