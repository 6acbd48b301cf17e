import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { KeyRing } from '../../src/security/key-ring.ts'
import { runCli } from '../cli/run-cli.ts'
import { type HttpDoor, openHttpDoor } from '../http/http-door.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'

const newKey = (name: string) => `${name}:${randomBytes(32).toString('base64')}`
const [first, second] = [newKey('k1'), newKey('k2')]
const secret = 'planted-in-a-payload'

describe('feature 31: sensitive payloads are encrypted before they are stored', () => {
  let db: TestDatabase
  let door: HttpDoor

  beforeAll(async () => {
    db = await createTestDatabase()
    door = await openHttpDoor(db, {
      encryption: { ring: KeyRing.parse(first), tasks: ['sign'], queues: [] },
    })
  })
  afterAll(() => door.server.stop())

  const stored = async (id: string) =>
    (
      await db.query<{ payload: { $encrypted: Record<string, string> } }>(
        'select payload from interlock.jobs where id = $1',
        [id],
      )
    )[0]?.payload
  const everything = async () => {
    const [row] = await db.query<{ text: string }>(
      `select concat((select string_agg(j::text, '') from interlock.jobs as j), (select string_agg(l::text, '') from interlock.job_queue_log as l),
        (select string_agg(r::text, '') from interlock.job_results as r), (select string_agg(a::text, '') from interlock.audit_log as a),
        (select string_agg(k::text, '') from interlock.idempotency_keys as k)) as text`,
    )
    return row?.text ?? ''
  }
  const onDatabase = (keys: string, ...args: readonly string[]) =>
    runCli(args, { env: { DATABASE_URL: db.url, INTERLOCK_ENCRYPTION_KEYS: keys } })

  test('a job that asks for it, or whose task is named, is an envelope in its row, and its holder reads it', async () => {
    const asked = await door.post('/jobs', { task: 'work', user: 'ann', encrypt: true, payload: { card: secret } })
    expect(asked.status).toBe(201)
    expect(asked.json.payload.$encrypted).toMatchObject({ alg: 'A256GCM', key: 'k1' })
    const named = await door.post('/jobs', { task: 'sign', payload: { card: secret } })
    expect((await stored(named.json.id))?.$encrypted.key).toBe('k1')
    const plain = await door.post('/jobs', { task: 'work', user: 'bob', payload: { card: 'plain' } })
    expect(await stored(plain.json.id)).toEqual({ card: 'plain' })
    const typed = await onDatabase(
      first,
      'queue',
      'add',
      'work',
      '--user',
      'cy',
      '--encrypt',
      '--payload',
      `{"card": "${secret}"}`,
      '--json',
    )
    const typedId: string = JSON.parse(typed.stdout).id
    expect((await stored(typedId))?.$encrypted.key).toBe('k1')
    expect(typed.stdout).not.toContain(secret)

    // Looking shows the envelope, to everybody; only the claim opens it.
    expect((await door.get(`/jobs/${asked.json.id}`)).text).not.toContain(secret)
    expect(await everything()).not.toContain(secret)
    const { agent_id: agent } = (await door.post('/agents', { name: 'remote', queues: ['default'], slots: 10 })).json
    const { jobs } = (await door.post(`/agents/${agent}/claim?wait_seconds=0`, { limit: 10 })).json
    const payloads = Object.fromEntries(
      jobs.map((job: { job_id: string; payload: object }) => [job.job_id, job.payload]),
    )
    expect(payloads).toEqual({
      [asked.json.id]: { card: secret },
      [named.json.id]: { card: secret },
      [plain.json.id]: { card: 'plain' },
      [typedId]: { card: secret },
    })
    const { job_id: id, token } = jobs.find((job: { job_id: string }) => job.job_id === asked.json.id)
    await door.post(`/jobs/${id}/started`, { token })
    expect((await door.post(`/jobs/${id}/complete`, { token, result: { ok: true } })).status).toBe(200)
    expect(await everything()).not.toContain(secret)
    expect(JSON.stringify(door.logged)).not.toContain(secret)
  })

  test('asked again under the same Idempotency-Key it is the same job, and another payload is refused', async () => {
    const ask = (card: string) =>
      door.post('/jobs', { task: 'sign', user: 'dee', payload: { card } }, { 'idempotency-key': 'once' })
    const [one, again] = [await ask('a'), await ask('a')]
    expect([one.status, again.status, again.json.id]).toEqual([201, 201, one.json.id])
    expect((await ask('b')).json.code).toBe('idempotency_conflict')
  })

  test('the payload of one job is of no use to another, and none can be smuggled in', async () => {
    const made = await door.post('/jobs', { task: 'sign', user: 'eve', id: 'mine', payload: { card: secret } })
    const stolen = made.json.payload
    const smuggled = await door.post('/jobs', { task: 'work', user: 'eve2', payload: stolen })
    expect(smuggled.json).toMatchObject({ status: 422, field: 'payload' })
    // Whoever writes rows can put it there, and has nothing of it.
    await db.query(
      `select interlock.enqueue_jobs(jsonb_build_array(jsonb_build_object('id', 'theirs', 'task', 'steal', 'user', 'eve3', 'payload', $1::jsonb)))`,
      [JSON.stringify(stolen)],
    )
    const ring = KeyRing.parse(first)
    const { unseal } = await import('../../src/security/payload-envelope.ts')
    expect(unseal(ring, 'mine', stolen)).toEqual({ card: secret })
    expect(() => unseal(ring, 'theirs', stolen)).toThrow('belongs to another job')
  })

  test('without keys it is refused by name, and nothing is stored', async () => {
    const bare = await openHttpDoor(db)
    const reply = await bare.post('/jobs', { task: 'work', id: 'never', encrypt: true, payload: { card: secret } })
    expect(reply.json).toMatchObject({ status: 422, field: 'encrypt' })
    expect(await stored('never')).toBeUndefined()
    await bare.server.stop()
  })

  test('a new key comes first, everything is written anew with it, and the old one can leave', async () => {
    await door.post('/jobs', { task: 'sign', user: 'fay', id: 'long', payload: { card: secret } })
    const dry = await onDatabase(`${second},${first}`, 'payloads', 'reencrypt', '--dry-run', '--json')
    const { old } = JSON.parse(dry.stdout)
    expect(old).toBeGreaterThan(2)
    const done = await onDatabase(`${second},${first}`, 'payloads', 'reencrypt', '--json')
    // What eve stole for another job stays what it is, and is told of.
    expect(JSON.parse(done.stdout)).toEqual({ dry_run: false, old, replaced: old - 1, unreadable: ['theirs'], left: 1 })
    expect(done.code).toBe(7)
    expect((await stored('long'))?.$encrypted.key).toBe('k2')
    expect(await db.query(`select from interlock.job_results where payload #>> '{$encrypted,key}' = 'k1'`)).toEqual([])
    const { unseal } = await import('../../src/security/payload-envelope.ts')
    expect(unseal(KeyRing.parse(second), 'long', (await stored('long')) ?? {})).toEqual({ card: secret })
    expect((await onDatabase('nonsense', 'payloads', 'reencrypt')).code).toBe(2)
  })
})
