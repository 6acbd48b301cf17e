import { request as rawRequest } from 'node:http'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'
import { waitFor } from '../support/wait-for.ts'
import { countRows, type HttpDoor, openHttpDoor } from './http-door.ts'

let db: TestDatabase
let door: HttpDoor

beforeAll(async () => {
  db = await createTestDatabase()
  door = await openHttpDoor(db)
})
afterAll(() => door.server.stop())

/** fetch sets Host by itself; this sends what it is told. */
function sendRaw(url: string, headers: Record<string, string>, method = 'GET', path = '/livez'): Promise<number> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url)
    const request = rawRequest({ host: hostname.replace(/[[\]]/g, ''), port, path, method, headers }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    request.on('error', reject)
    request.end()
  })
}

describe('a request', () => {
  test('to nowhere is 404, and by the wrong method 405 with what is allowed', async () => {
    expect((await door.get('/nowhere')).json).toMatchObject({
      status: 404,
      code: 'route_not_found',
      title: 'Not Found',
    })
    const wrong = await door.send('PUT', '/jobs/a')
    expect(wrong.json).toMatchObject({ status: 405, code: 'method_not_allowed' })
    expect(wrong.headers.get('allow')).toBe('DELETE, GET, HEAD')
    expect((await door.send('PATCH', '/jobs')).headers.get('allow')).toBe('GET, HEAD, POST')
    expect((await door.get('/jobs/a/cancel')).headers.get('allow')).toBe('POST')
  })

  test('by HEAD gets the headers of GET and no body', async () => {
    const reply = await door.send('HEAD', '/queue/status')
    expect(reply.status).toBe(200)
    expect(reply.text).toBe('')
  })

  test('whose path is badly encoded is 400', async () => {
    expect(await sendRaw(door.url, {}, 'GET', '/jobs/%zz')).toBe(400)
  })

  test('with a body that is not JSON is 400, cut short or of another type 415, and nothing is written', async () => {
    const before = await countRows(db)
    expect((await door.post('/jobs', '{"task":')).json).toMatchObject({ status: 400, code: 'malformed_json' })
    expect((await door.post('/jobs', 'task=t', { 'content-type': 'text/plain' })).json).toMatchObject({
      status: 415,
      code: 'unsupported_media_type',
    })
    expect(
      (await door.post('/jobs', '{"task":"t"}', { 'content-type': 'application/x-www-form-urlencoded' })).status,
    ).toBe(415)
    expect(
      (await door.post('/jobs', '{"task":"t"}', { 'content-type': 'application/json; charset=latin1' })).status,
    ).toBe(415)
    expect(await countRows(db)).toEqual(before)
  })

  test('over 1 MiB is 413, also when it hides in gzip', async () => {
    const before = await countRows(db)
    const big = JSON.stringify({ task: 't', payload: { a: 'x'.repeat(1024 * 1024) } })
    expect((await door.post('/jobs', big)).json).toMatchObject({ status: 413, code: 'body_too_large' })
    const zipped = await door.send('POST', '/jobs', {
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      body: new Uint8Array(gzipSync(big)),
    })
    expect(zipped.status).toBe(413)
    expect(await countRows(db)).toEqual(before)
  })

  test('keeps its id, if it is a plain one, and gets one otherwise', async () => {
    expect((await door.get('/livez', { 'x-request-id': 'mine-1' })).headers.get('x-request-id')).toBe('mine-1')
    expect((await door.get('/livez', { 'x-request-id': 'no good' })).headers.get('x-request-id')).toMatch(
      /^[0-9a-f-]{36}$/,
    )
  })

  test('is answered without telling what we are made of', async () => {
    const { headers } = await door.get('/jobs')
    expect(headers.get('x-powered-by')).toBeNull()
    expect(headers.get('x-content-type-options')).toBe('nosniff')
  })

  test('is logged with its id, without its query, and the probes are not', async () => {
    await door.get('/jobs?user=secret', { 'x-request-id': 'logged-1' })
    await door.get('/livez', { 'x-request-id': 'probe-1' })
    await door.get('/queue/health', { 'x-request-id': 'probe-2' })
    const line = await waitFor(() => door.logged.find(({ request_id }) => request_id === 'logged-1'), {
      what: 'the line',
    })
    expect(line).toMatchObject({ event: 'http.answered', method: 'GET', path: '/jobs', status: 200, level: 'info' })
    expect(JSON.stringify(door.logged)).not.toMatch(/secret|probe-/)
  })
})

describe('the Host check', () => {
  test.each(['localhost', 'localhost:7400', '127.0.0.1', 'LOCALHOST:1', '[::1]:7400', 'localhost.'])(
    'on loopback lets %s pass',
    async (host) => {
      expect(await sendRaw(door.url, { host })).toBe(200)
    },
  )

  test.each(['evil.example', 'evil.example:7400', 'localhost.evil.example', '127.0.0.1.evil.example', '10.0.0.1'])(
    'on loopback refuses %s',
    async (host) => {
      expect(await sendRaw(door.url, { host })).toBe(403)
    },
  )

  test('refuses what the page of another site sends, so that it cannot cancel anything', async () => {
    await door.post('/jobs', { task: 't', id: 'victim', start: false })
    const reply = await door.post('/jobs/victim/cancel', undefined, { origin: 'https://evil.example' })
    expect(reply.json).toMatchObject({ status: 403, code: 'not_permitted' })
    expect((await door.post('/jobs/victim/cancel', undefined, { origin: 'null' })).status).toBe(403)
    expect((await door.get('/jobs/victim')).json.status).toBe('paused')
    expect((await door.post('/jobs/victim/cancel', undefined, { origin: 'http://localhost:3000' })).status).toBe(200)
  })

  test('lets configured names pass, and asks for none on another address without them', async () => {
    const named = await openHttpDoor(db, { hostNames: ['queue.example'] })
    expect(await sendRaw(named.url, { host: 'queue.example:7400' })).toBe(200)
    expect(await sendRaw(named.url, { host: 'evil.example' })).toBe(403)
    await named.server.stop()
    const open = await openHttpDoor(db, { host: '0.0.0.0' })
    expect(await sendRaw(open.url.replace('0.0.0.0', '127.0.0.1'), { host: 'anything.example' })).toBe(200)
    await open.server.stop()
  })
})

describe('an error on our side', () => {
  test('is logged whole under the request id, and its text is shown to nobody', async () => {
    const own = await createTestDatabase({ violations: 'expected' })
    const ownDoor = await openHttpDoor(own)
    await own.query(`create or replace function interlock.enqueue_jobs(p_jobs jsonb, p_actor text default null)
      returns table (ordinal integer, job_id text, status text, is_duplicate boolean) language plpgsql
      as $$ begin raise exception using errcode = 'XX000', message = 'the secret inside'; end $$`)
    const reply = await ownDoor.post('/jobs', { task: 't' })
    expect(reply.json).toMatchObject({ status: 500, code: 'internal' })
    expect(reply.text).not.toMatch(/secret/)
    const line = await waitFor(() => ownDoor.logged.find(({ event }) => event === 'http.failed'), { what: 'the line' })
    expect(line).toMatchObject({
      level: 'error',
      request_id: reply.json.request_id,
      error: { message: expect.stringContaining('the secret inside') },
    })
    await ownDoor.server.stop()
    await own.drop()
  })

  test.each([
    ['IL002', 409, 'stale_token', null],
    ['IL003', 409, 'illegal_transition', null],
    ['IL004', 409, 'agent_not_active', null],
    ['IL006', 409, 'idempotency_conflict', null],
    ['IL007', 429, 'queue_full', '5'],
    ['IL008', 403, 'not_permitted', null],
    ['IL009', 409, 'not_held', null],
    ['IL010', 500, 'internal', null],
    ['IL011', 422, 'unknown_task', null],
    ['IL012', 422, 'queue_not_found', null],
    ['IL013', 404, 'workflow_not_found', null],
    ['IL014', 404, 'schedule_not_found', null],
    ['40001', 503, 'unavailable', '2'],
    ['53300', 503, 'unavailable', '2'],
    ['25006', 503, 'unavailable', '2'],
    ['42P01', 503, 'schema_mismatch', '10'],
    ['22012', 500, 'internal', null],
  ])('%s from the database is %i %s', async (sqlstate, status, code, retryAfter) => {
    const own = await createTestDatabase({ violations: 'expected' })
    const ownDoor = await openHttpDoor(own)
    await own.query(`create or replace function interlock.cancel_job(p_job_id text, p_reason text default null, p_actor text default null)
      returns table (status text) language plpgsql as $$ begin raise exception using errcode = '${sqlstate}', message = 'said so'; end $$`)
    const reply = await ownDoor.post('/jobs/x/cancel')
    expect(reply.json).toMatchObject({ status, code })
    expect(reply.headers.get('retry-after')).toBe(retryAfter)
    await ownDoor.server.stop()
    await own.drop()
  })
})
