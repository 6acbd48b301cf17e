import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Client, createClient } from '../../src/client/entry.ts'
import { AgentWorld } from '../agent/agent-world.ts'
import { runCli } from '../cli/run-cli.ts'
import summarise from '../fixtures/agent/summarise.ts'
import { type HttpDoor, openHttpDoor } from '../http/http-door.ts'

let world: AgentWorld
let door: HttpDoor
let pool: pg.Pool
let direct: Client

beforeAll(async () => {
  world = await AgentWorld.create()
  door = await openHttpDoor(world.test)
  pool = new pg.Pool({ connectionString: world.test.url, max: 3 })
  direct = createClient({ pool })
  const module = fileURLToPath(new URL('../fixtures/agent/summarise.ts', import.meta.url))
  const hello = { command: ['sh', '-c', 'echo "hello"; echo "{\\"said\\": \\"hello\\"}"'] }
  await world.startAgent({ liveness: 'lease', tasks: { hello, summarise: { module } }, slots: 4 })
})
afterAll(async () => {
  await direct.close()
  await Promise.all([door.server.stop(), pool.end()])
  await world.close()
})

describe('37. The same verbs from TypeScript', () => {
  it('give a first job in three lines', async () => {
    const client = createClient({ url: door.url })
    const job = await client.enqueue('hello', { name: 'world' })
    const ended = await client.wait(job)

    expect(ended).toMatchObject({ status: 'completed', result: { said: 'hello' } })
    const shown = await runCli(['job', 'show', job.id, '--json'], { env: { INTERLOCK_URL: door.url } })
    expect(JSON.parse(shown.stdout)).toEqual(ended)
  })

  it('take a typed task from its definition to its result, enqueued with what else the transaction writes', async () => {
    await pool.query('create table articles (id text, summary text)')
    const transaction = await pool.connect()
    await transaction.query('begin')
    await transaction.query(`insert into articles values ('cats')`)
    const job = await direct.enqueue(summarise, { says: { title: ' Cats ' } }, { user: 'alice', transaction })
    await transaction.query('commit')
    transaction.release()

    const ended = await createClient({ url: door.url }).wait(job)
    if (ended.status !== 'completed') throw new Error(`it is ${ended.status}: ${JSON.stringify(ended.error)}`)
    const { title, words } = ended.result
    expect([title, words]).toEqual(['Cats', 10])
  })

  it('check a payload where it is enqueued, and again where it runs: who came by SQL fails for good, and is told why', async () => {
    await expect(direct.enqueue(summarise, { says: {}, words: 0 })).rejects.toMatchObject({ field: 'payload.words' })
    const [row] = await world.test.query<{ job_id: string }>(
      `select job_id from interlock.enqueue_jobs('[{"task": "summarise", "payload": {"words": 0}, "max_attempts": 3}]')`,
    )
    expect(await direct.wait(row?.job_id ?? '')).toMatchObject({
      status: 'failed',
      attempt: 1,
      error: { code: 'invalid_input', message: expect.stringContaining('words: ') },
    })
  })

  it('hold what a job needs, while a person looks after it', async () => {
    const client = createClient({ url: door.url })
    const lock = await client.hold('user:bob', { owner: 'ann' })
    const job = await client.enqueue('hello', {}, { user: 'bob' })
    expect((await client.explain(job)).sentence).toMatch(/waits for user:bob, held by/)
    const listed = await runCli(['locks', 'list', '--json'], { env: { DATABASE_URL: world.test.url } })
    expect(JSON.parse(listed.stdout)).toMatchObject([{ resource: 'user:bob', owner: 'ann', job_id: lock.id }])
    await lock.release()
    expect(await client.wait(job)).toMatchObject({ status: 'completed' })
  })
})
