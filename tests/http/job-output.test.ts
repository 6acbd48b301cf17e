import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'
import { waitFor } from '../support/wait-for.ts'
import { type HttpDoor, openHttpDoor } from './http-door.ts'
import { type Claimed, TestAgent } from './test-agent.ts'

let db: TestDatabase
let door: HttpDoor
let agent: TestAgent

beforeAll(async () => {
  db = await createTestDatabase()
  door = await openHttpDoor(db)
  agent = await TestAgent.register(db, { slots: 50 })
})
afterAll(() => door.server.stop())

async function run(id: string): Promise<Claimed> {
  await door.post('/jobs', { task: 't', id })
  return agent.claimOne()
}

interface ServerEvent {
  readonly id: string | null
  readonly event: string
  // biome-ignore lint/suspicious/noExplicitAny: what a test reads of an event is what it asserts
  readonly data: any
}

/** Reads server-sent events until the stream ends; `events` grows meanwhile. */
function follow(path: string, headers: Record<string, string> = {}) {
  const events: ServerEvent[] = []
  const aborting = new AbortController()
  const done = (async () => {
    const response = await fetch(`${door.url}${path}`, { headers, signal: aborting.signal })
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/)
    let text = ''
    for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += part
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const fields = new Map(
          text
            .slice(0, end)
            .split('\n')
            .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
        )
        if (fields.has('event')) {
          events.push({
            id: fields.get('id') ?? null,
            event: fields.get('event') ?? '',
            data: JSON.parse(fields.get('data') ?? 'null'),
          })
        }
        text = text.slice(end + 2)
      }
    }
  })()
  return { events, done, abort: () => aborting.abort() }
}

const lines = (events: readonly ServerEvent[]) =>
  events.filter(({ event }) => event === 'output').flatMap(({ data }) => data.lines.split('\n'))

describe('GET /jobs/:id/output', () => {
  test('gives the chunks as JSON lines, of all streams or of one, from any of them on', async () => {
    const job = await run('o-lines')
    await agent.write(job, 'stdout', 'one\ntwo')
    await agent.write(job, 'stderr', 'oops')
    await agent.write(job, 'stdout', 'three')
    const reply = await door.get('/jobs/o-lines/output')
    expect(reply.headers.get('content-type')).toMatch(/^application\/x-ndjson/)
    const chunks = reply.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(chunks.map(({ stream, lines: written, attempt }) => [stream, written, attempt])).toEqual([
      ['stdout', 'one\ntwo', 1],
      ['stderr', 'oops', 1],
      ['stdout', 'three', 1],
    ])
    const errors = await door.get('/jobs/o-lines/output?stream=stderr')
    expect(JSON.parse(errors.text)).toEqual(chunks[1])
    const rest = await door.get(`/jobs/o-lines/output?after=${chunks[1].seq}`)
    expect(JSON.parse(rest.text)).toEqual(chunks[2])
    await agent.complete(job)
    expect((await door.get('/jobs/o-lines/output')).text).toBe(reply.text)
  })

  test('gives more chunks than are read at once, in order', async () => {
    const job = await run('o-many')
    for (let n = 0; n < 45; n += 1) await agent.write(job, 'stdout', `line ${n}`)
    const { text } = await door.get('/jobs/o-many/output')
    expect(
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).lines),
    ).toEqual(Array.from({ length: 45 }, (_, n) => `line ${n}`))
    await agent.complete(job)
  })

  test('gives a page as one JSON object to who accepts only that', async () => {
    const job = await run('o-json')
    await agent.write(job, 'stdout', 'one')
    await agent.write(job, 'stdout', 'two')
    const first = await door.get('/jobs/o-json/output?limit=1', { accept: 'application/json' })
    expect(first.json).toMatchObject({
      job_id: 'o-json',
      chunks: [{ lines: 'one' }],
      next_after: first.json.chunks[0].seq,
    })
    const rest = await door.get(`/jobs/o-json/output?after=${first.json.next_after}`, { accept: 'application/json' })
    expect(rest.json).toMatchObject({ chunks: [{ lines: 'two' }], next_after: null })
    await agent.complete(job)
  })

  test('of a job without output is empty, and of no job is 404', async () => {
    await door.post('/jobs', { task: 't', id: 'o-none', start: false })
    expect(await door.get('/jobs/o-none/output')).toMatchObject({ status: 200, text: '' })
    expect((await door.get('/jobs/nobody/output?follow=1')).json).toMatchObject({ status: 404, code: 'job_not_found' })
    expect((await door.get('/jobs/o-none/output?stream=stdin')).json).toMatchObject({ status: 422, field: 'stream' })
  })

  test('followed, sends what is written as it is written, and ends with the job', async () => {
    const job = await run('o-follow')
    await agent.write(job, 'stdout', 'before')
    const stream = follow('/jobs/o-follow/output?follow=1')
    await waitFor(() => lines(stream.events).length === 1, { what: 'the output from before' })
    await agent.write(job, 'stderr', 'during')
    await waitFor(() => lines(stream.events).length === 2, { what: 'the output from meanwhile' })
    await agent.write(job, 'stdout', 'last\nwords')
    await agent.complete(job)
    await stream.done
    expect(lines(stream.events)).toEqual(['before', 'during', 'last', 'words'])
    expect(stream.events.at(-1)).toMatchObject({ event: 'end', data: { job_id: 'o-follow', status: 'completed' } })
  })

  test('followed again after a break goes on behind Last-Event-ID, without gap or repeat', async () => {
    const job = await run('o-resume')
    await agent.write(job, 'stdout', 'one')
    const broken = follow('/jobs/o-resume/output?follow=1')
    await waitFor(() => lines(broken.events).length === 1, { what: 'the first line' })
    broken.abort()
    await broken.done.catch(() => undefined)
    await agent.write(job, 'stdout', 'two')
    const resumed = follow('/jobs/o-resume/output', {
      accept: 'text/event-stream',
      'last-event-id': broken.events[0]?.id ?? '',
    })
    await agent.write(job, 'stdout', 'three')
    await agent.complete(job)
    await resumed.done
    expect(lines(resumed.events)).toEqual(['two', 'three'])
  })

  test('followed with a filter sends that stream alone', async () => {
    const job = await run('o-filter')
    await agent.write(job, 'stdout', 'no')
    const stream = follow('/jobs/o-filter/output?follow=1&stream=stderr')
    await agent.write(job, 'stderr', 'yes')
    await waitFor(() => lines(stream.events).length === 1, { what: 'the line of stderr' })
    await agent.write(job, 'stdout', 'no more')
    await agent.complete(job)
    await stream.done
    expect(lines(stream.events)).toEqual(['yes'])
  })

  test('followed by twenty, over many jobs, takes no connection for each', async () => {
    const jobs: Claimed[] = []
    for (let n = 0; n < 20; n += 1) jobs.push(await run(`o-crowd-${n}`))
    const streams = jobs.map((job) => follow(`/jobs/${job.job_id}/output?follow=1`))
    for (const job of jobs) await agent.write(job, 'stdout', job.job_id)
    await waitFor(() => streams.every(({ events }) => events.length === 1), {
      what: 'everybody to have heard something',
    })
    const [row] = await db.query<{ sessions: number }>(
      'select count(*) as sessions from pg_stat_activity where datname = $1',
      [db.name],
    )
    // The pool's ten at most, and the one that listens.
    expect(row?.sessions).toBeLessThanOrEqual(11)
    for (const job of jobs) await agent.complete(job)
    await Promise.all(streams.map(({ done }) => done))
    expect(streams.map(({ events }) => events.at(-1)?.event)).toEqual(Array(20).fill('end'))
  })
})
