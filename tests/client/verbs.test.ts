import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type Client, defineTask, InterlockError } from '../../src/client/entry.ts'
import { countRows } from '../http/http-door.ts'
import { waitFor } from '../support/wait-for.ts'
import { openTwoWays, type TwoWays, ways } from './two-ways.ts'

const resize = defineTask({
  name: 'resize',
  input: z.object({ url: z.string(), width: z.int().positive().default(100) }),
  output: z.object({ path: z.string() }),
  run: ({ url, width }) => ({ path: `${url}@${width}` }),
})

let world: TwoWays
beforeAll(async () => {
  world = await openTwoWays()
})
afterAll(() => world.close())

async function refusal(work: Promise<unknown>): Promise<InterlockError> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(InterlockError)
  return error as InterlockError
}

const fresh = (name: string) => `${name}-${randomUUID().slice(0, 8)}`

/** Claims until it is this job that was given; whatever else waits here is somebody's leftover. */
async function claim(id: string) {
  for (;;) {
    const job = await world.agent.claimOne()
    if (job.job_id === id) return job
    await world.agent.complete(job)
  }
}

describe.each(ways)('a client over %s', (way) => {
  let client: Client
  beforeAll(() => {
    client = world.clients[way]
  })

  it('enqueues a task by its definition, as it was given, and by its name; job() and list() show it', async () => {
    const user = fresh('user')
    const typed = await client.enqueue(resize, { url: 'a.png' }, { user, model: 'flux', priority: 'high' })
    expect(typed).toEqual({ id: typed.id, status: 'pending', is_duplicate: false })
    expect(await client.job(typed.id)).toMatchObject({
      task: 'resize',
      queue: 'high',
      models: ['flux'],
      payload: { url: 'a.png' },
    })

    const named = await client.enqueue('work', { some: 1 }, { user, delay_seconds: 60 })
    expect(named.status).toBe('scheduled')
    await client.enqueue('work', undefined, { user })
    const first = await client.list({ user, status: ['pending', 'scheduled'], limit: 2 })
    const second = await client.list({ user, limit: 2, cursor: first.next_cursor ?? '' })
    expect([...first.jobs, ...second.jobs].map(({ task }) => task).sort()).toEqual(['resize', 'work', 'work'])
    expect((await client.list({ user, status: 'scheduled' })).jobs).toMatchObject([{ id: named.id }])
    await Promise.all([typed, named].map((job) => client.cancel(job)))
  })

  it('enqueues many, all or none, each typed by its own task, and says at which place one is refused', async () => {
    const before = await countRows(world.test)
    const wrong = await refusal(
      client.enqueueMany([
        { task: 'work', payload: {} },
        { task: resize, payload: { url: 'a.png', width: -1 } },
      ]),
    )
    expect(wrong).toMatchObject({ code: 'invalid_argument', field: 'jobs[1].payload.width' })
    expect(await countRows(world.test)).toEqual(before)

    const user = fresh('user')
    const [one, two] = await client.enqueueMany([
      { task: resize, payload: { url: 'a.png', width: 5 }, user },
      { task: 'work', user },
    ])
    expect((await client.list({ user })).jobs.map(({ id }) => id).sort()).toEqual([one.id, two.id].sort())
    await Promise.all([client.cancel(one), client.cancel(two)])
  })

  it('refuses a payload that its schema refuses, or that JSON does not keep, before anything is sent', async () => {
    const before = await countRows(world.test)
    // @ts-expect-error a width is a number
    const wrong = await refusal(client.enqueue(resize, { url: 'a.png', width: 'wide' }))
    expect(wrong).toMatchObject({ code: 'invalid_argument', field: 'payload.width' })
    expect(wrong.message).toMatch(/^the payload is none of task resize: width: /)

    const dated = defineTask({ name: 'dated', input: z.object({ day: z.date() }), run: () => null })
    expect(await refusal(client.enqueue(dated, { day: new Date() }))).toMatchObject({ field: 'payload.day' })
    expect(await refusal(client.enqueue('work', { n: 1n }))).toMatchObject({
      code: 'invalid_argument',
      field: 'payload',
    })
    expect(await countRows(world.test)).toEqual(before)
  })

  it('is refused by name what no job may have: the same words over both', async () => {
    // @ts-expect-error there is no such priority
    expect(await refusal(client.enqueue('work', {}, { priority: 'urgent' }))).toMatchObject({
      code: 'invalid_argument',
      field: 'priority',
    })
    expect(await refusal(client.enqueue('work', {}, { queue: 'nowhere' }))).toMatchObject({ code: 'queue_not_found' })
    // @ts-expect-error it would list everybody's jobs
    expect(await refusal(client.list({ usr: 'ann' }))).toMatchObject({ code: 'invalid_argument', field: 'usr' })
    expect(await refusal(client.list({ limit: 0 }))).toMatchObject({ code: 'invalid_argument', field: 'limit' })
    expect(await refusal(client.requests({ limit: 0 }))).toMatchObject({ code: 'invalid_argument', field: 'limit' })
    expect(await refusal(client.job('nobody'))).toMatchObject({ code: 'job_not_found' })
    expect(await refusal(client.wait('nobody'))).toMatchObject({ code: 'job_not_found' })
    expect(await refusal(client.explain('nobody'))).toMatchObject({ code: 'job_not_found' })
    expect(await refusal(client.timeline('nobody'))).toMatchObject({ code: 'job_not_found' })
    expect(await refusal(client.requeue('nobody'))).toMatchObject({ code: 'job_not_found' })
  })

  it('repeats a request by its key: the same jobs, and none is added; a unique_key finds the one that is there', async () => {
    const [key, user, unique] = [fresh('key'), fresh('user'), fresh('unique')]
    const first = await client.enqueue('work', {}, { user, idempotencyKey: key })
    expect(await client.enqueue('work', {}, { user, idempotencyKey: key })).toMatchObject({ id: first.id })
    expect(await refusal(client.enqueue('other', {}, { user, idempotencyKey: key }))).toMatchObject({
      code: 'idempotency_conflict',
    })
    const there = await client.enqueue('work', {}, { user, unique_key: unique })
    expect(await client.enqueue('work', {}, { user, unique_key: unique })).toEqual({ ...there, is_duplicate: true })
    await Promise.all([client.cancel(first), client.cancel(there)])
  })

  it('waits for the end of a job, and types its result; at a timeout the job comes as it is', async () => {
    const job = await client.enqueue(resize, { url: 'a.png' })
    expect(await client.wait(job, { timeoutSeconds: 0.05 })).toMatchObject({ status: 'pending', result: null })
    const waiting = client.wait(job)
    await world.agent.complete(await claim(job.id), { path: 'a@100' })
    const ended = await waiting
    if (ended.status !== 'completed') throw new Error(`it is ${ended.status}`)
    const path: string = ended.result.path
    expect(path).toBe('a@100')
    expect(ended.finished_at).toMatch(/^\d{4}-\d\d-\d\dT/)
  })

  it('stops waiting when its signal says so, with its reason', async () => {
    const job = await client.enqueue('work')
    const leaving = new AbortController()
    const waiting = client.wait(job, { signal: leaving.signal })
    await waitFor(async () => (await client.job(job.id)).status === 'pending', { what: 'the job to be there' })
    leaving.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    await client.cancel(job)
  })

  it('cancels, requeues, and tells the story with its reasons and who asked', async () => {
    const job = await client.enqueue('work')
    await world.agent.fail(await claim(job.id), 'boom')
    expect(await client.wait(job)).toMatchObject({ status: 'failed', error: { message: 'boom' } })
    expect(await client.requeue(job, { reason: 'once more' })).toEqual({ id: job.id, status: 'pending' })
    expect(await client.explain(job)).toMatchObject({ job_id: job.id, status: 'pending' })
    expect(await client.cancel(job.id, { reason: 'no more' })).toEqual({ id: job.id, status: 'cancelled' })
    expect(await refusal(client.cancel(job))).toMatchObject({ code: 'illegal_transition' })
    const story = await client.timeline(job)
    expect(story.map(({ event_type }) => event_type)).toEqual([
      'enqueued',
      'assigned',
      'started',
      'failed',
      'requeued',
      'cancelled',
    ])
    expect(story.at(-1)).toMatchObject({ actor: 'ann', job_id: job.id })
    expect(story.at(-1)?.created_at).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/)
  })

  it('shows what a job writes, chunk by chunk, until it has ended', async () => {
    const job = await client.enqueue('work')
    const running = await claim(job.id)
    await world.agent.write(running, 'stdout', 'one')
    const seen: string[] = []
    const following = (async () => {
      for await (const { lines } of client.output(job)) seen.push(lines)
    })()
    await waitFor(() => seen.length === 1, { what: 'the first chunk' })
    await world.agent.write(running, 'stderr', 'two')
    await waitFor(() => seen.length === 2, { what: 'the second chunk' })
    await world.agent.complete(running)
    await following
    expect(seen).toEqual(['one', 'two'])
    const [first] = await Array.fromAsync(client.output(job))
    const rest = await Array.fromAsync(client.output(job, { after: first?.seq ?? 0 }))
    expect(rest.map(({ lines }) => lines)).toEqual(['two'])
  })

  it('shows everything at a glance', async () => {
    const job = await client.enqueue('work')
    const status = await client.status()
    expect(status.counts_by_status.pending).toBeGreaterThan(0)
    expect(status.list_limit).toBe(100)
    await client.cancel(job)
  })

  it('shows what jobs ask, and answers it, once', async () => {
    const job = await client.enqueue('work')
    const { token } = await claim(job.id)
    const [asked] = await world.test.query<{ readonly request_id: string }>(
      `select request_id from interlock.ask($1, $2, '{"message": "Which branch?"}')`,
      [job.id, token],
    )
    const { requests } = await client.requests({ status: 'open', job: job.id })
    expect(requests).toMatchObject([{ id: asked?.request_id, message: 'Which branch?' }])
    const answered = await client.answer(asked?.request_id ?? '', { message: 'main' })
    expect(answered).toMatchObject({ status: 'answered', response: { message: 'main' } })
    expect(await refusal(client.answer(asked?.request_id ?? '', { message: 'other' }))).toMatchObject({
      code: 'illegal_transition',
    })
    await world.agent.complete({ job_id: job.id, token })
  })

  it('runs a workflow, and waits for its run as for a job', async () => {
    const id = fresh('film')
    await world.test.query(`select interlock.apply_workflow($1)`, [
      JSON.stringify({ id, steps: [{ name: 'draw', default_model: `m-${id}` }] }),
    ])
    const run = await client.execute(id, { input: { scene: 7 }, user: fresh('user') })
    expect(run).toMatchObject({ workflow_id: id, input: { scene: 7 } })
    expect((await client.execution(run.id)).required_models).toEqual([`m-${id}`])
    expect(await refusal(client.execute('none'))).toMatchObject({ code: 'workflow_not_found' })
    await world.agent.complete(await claim(run.current_job_id), { frames: 3 })
    expect(await client.wait(run.id)).toMatchObject({ status: 'completed', result: { frames: 3 } })
  })
})
