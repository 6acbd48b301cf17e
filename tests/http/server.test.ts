import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { createHttpServer } from '../../src/http/server.ts'
import { createSilentLogger } from '../../src/observability/logger.ts'
import { Database } from '../../src/store/database.ts'
import { Line } from '../support/line.ts'
import { createEmptyDatabase, createTestDatabase } from '../support/test-database.ts'
import { waitFor } from '../support/wait-for.ts'
import { untilSomebodyWaits } from '../support/watched-jobs.ts'
import { openHttpDoor } from './http-door.ts'
import { TestAgent } from './test-agent.ts'

describe('start', () => {
  test('says in one line that the port is in use', async () => {
    const db = await createTestDatabase()
    const door = await openHttpDoor(db)
    const port = Number(new URL(door.url).port)
    const second = createHttpServer({ database: db.database, logger: createSilentLogger(), host: '127.0.0.1', port })
    await expect(second.start()).rejects.toMatchObject({
      code: 'unavailable',
      message: `port ${port} on 127.0.0.1 is in use`,
      hint: 'Stop what listens there, or choose another port.',
    })
    await second.stop()
    await door.server.stop()
  })

  test('says that a host is not of this machine', async () => {
    const db = await createTestDatabase()
    const server = createHttpServer({ database: db.database, logger: createSilentLogger(), host: '192.0.2.1', port: 0 })
    await expect(server.start()).rejects.toMatchObject({ code: 'invalid_argument', field: 'host' })
    await server.stop()
  })
})

describe('stop', () => {
  test('ends waits with the present state and streams in order, lets nobody in, and leaves no connection', async () => {
    const db = await createTestDatabase()
    const door = await openHttpDoor(db)
    await door.post('/jobs', { task: 't', id: 'slow', user: 'a' })
    const waiting = door.get('/jobs/slow/wait?timeout_seconds=60')
    const followed = await fetch(`${door.url}/jobs/slow/output?follow=1`)
    const text = followed.text()
    await door.get('/jobs/slow')
    const startedMs = performance.now()
    await door.server.stop()
    expect(performance.now() - startedMs).toBeLessThan(2000)
    expect((await waiting).json).toMatchObject({ id: 'slow', status: 'pending' })
    expect(await text).not.toMatch(/event: end/)
    await expect(fetch(`${door.url}/livez`)).rejects.toThrow()
    await door.server.stop()
    await db.drop()
  })

  test('cuts off who reads nothing, after five seconds', async () => {
    const db = await createTestDatabase()
    const door = await openHttpDoor(db)
    const { hostname, port } = new URL(door.url)
    const stuck = connect(Number(port), hostname)
    stuck.write(
      'POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
    )
    await waitFor(async () => (await door.get('/livez')).status === 200, { what: 'the server to have read the start' })
    const startedMs = performance.now()
    await door.server.stop()
    expect(performance.now() - startedMs).toBeLessThan(6500)
    stuck.destroy()
  })

  test('may be called without a start', async () => {
    const db = await createTestDatabase()
    const server = createHttpServer({ database: db.database, logger: createSilentLogger(), host: '127.0.0.1', port: 0 })
    await server.stop()
    await server.stop()
  })
})

describe('the probes', () => {
  test('say that it lives, and that it is ready', async () => {
    const db = await createTestDatabase()
    const door = await openHttpDoor(db)
    expect((await door.get('/livez')).json).toMatchObject({ is_alive: true })
    const reply = await waitFor(
      async () => {
        const answer = await door.get('/readyz')
        return answer.status === 200 ? answer : null
      },
      { what: 'the server to be ready' },
    )
    expect(reply.json.checks.map(({ name }: { name: string }) => name)).toEqual([
      'database',
      'schema',
      'listen',
      'event_loop',
    ])
    await door.server.stop()
  })

  test('say 503 with the reason where the schema is missing, and what the program adds', async () => {
    const db = await createEmptyDatabase()
    const door = await openHttpDoor(db, { readiness: [{ name: 'worker', check: () => 'it has not started' }] })
    const { status, json } = await door.get('/readyz')
    expect(status).toBe(503)
    expect(json.is_ready).toBe(false)
    expect(json.checks).toContainEqual({ name: 'worker', is_ok: false, reason: 'it has not started' })
    expect(json.checks).toContainEqual({
      name: 'schema',
      is_ok: false,
      reason: expect.stringContaining('interlock migrate up'),
    })
    await door.server.stop()
  })
})

describe('with the database away', () => {
  test('every route answers 503 with Retry-After, the process lives, and it comes back by itself', async () => {
    const db = await createTestDatabase()
    const line = await Line.lay(db.url)
    const database = new Database({ url: line.urlOf(db.url), connectTimeoutSeconds: 1 })
    const door = await openHttpDoor({ ...db, database })
    await door.post('/jobs', { task: 't', id: 'before' })
    await line.close()
    for (const [method, path] of [
      ['GET', '/jobs'],
      ['GET', '/jobs/before'],
      ['GET', '/jobs/before/wait'],
      ['GET', '/jobs/before/output'],
      ['GET', '/jobs/before/output?follow=1'],
      ['GET', '/jobs/before/timeline'],
      ['GET', '/jobs/before/explain'],
      ['POST', '/jobs/before/cancel'],
      ['DELETE', '/jobs/before'],
      ['GET', '/queue/status'],
      ['GET', '/queue/health'],
      ['GET', '/agents'],
    ] as const) {
      const reply = await door.send(method, path)
      expect([path, reply.status, reply.json.code, reply.headers.get('retry-after')]).toEqual([
        path,
        503,
        'unavailable',
        '2',
      ])
    }
    expect((await door.post('/jobs', { task: 't' })).status).toBe(503)
    expect((await door.get('/livez')).status).toBe(200)
    const ready = await door.get('/readyz')
    expect(ready.status).toBe(503)
    expect(ready.json.checks).toContainEqual({ name: 'listen', is_ok: false, reason: expect.any(String) })
    await line.open()
    await waitFor(async () => (await door.get('/readyz')).status === 200, { what: 'the server to be ready again' })
    expect((await door.get('/jobs/before')).json.status).toBe('pending')
    await line.close()
    await door.server.stop()
    await database.end()
  })

  test('and silent, answers 503 by its deadline instead of hanging', async () => {
    const db = await createTestDatabase()
    const line = await Line.lay(db.url)
    const database = new Database({ url: line.urlOf(db.url), connectTimeoutSeconds: 1, statementTimeoutSeconds: 1 })
    const door = await openHttpDoor({ ...db, database })
    await door.get('/jobs')
    line.trouble({ kind: 'swallow', direction: 'both' })
    const startedMs = performance.now()
    const [read, ready] = await Promise.all([door.get('/jobs'), door.get('/readyz')])
    expect(read.json).toMatchObject({ status: 503, code: 'unavailable' })
    expect(ready.status).toBe(503)
    expect(performance.now() - startedMs).toBeLessThan(12_000)
    await line.close()
    await door.server.stop()
    await database.end()
  })

  test('for a moment, a wait goes on and hears the end', async () => {
    const db = await createTestDatabase()
    const door = await openHttpDoor(db)
    const agent = await TestAgent.register(db)
    await door.post('/jobs', { task: 't', id: 'through' })
    const job = await agent.claimOne()
    const waiting = door.get('/jobs/through/wait?timeout_seconds=20')
    await untilSomebodyWaits(db)
    await db.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()',
      [db.name],
    )
    await waitFor(async () => (await door.get('/jobs/through')).status === 200, { what: 'the database to be back' })
    // Another connection of the pool may still have to learn that it is dead.
    await waitFor(() => agent.complete(job).then(() => true), { what: 'the job to be completed' })
    expect((await waiting).json.status).toBe('completed')
    await door.server.stop()
  })
})
