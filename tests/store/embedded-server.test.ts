import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Database } from '../../src/store/database.ts'
import { findPostmaster } from '../../src/store/embedded/postmaster.ts'
import { isReachableBy } from '../../src/store/embedded/system-user.ts'
import { type EmbeddedServer, startEmbeddedServer } from '../../src/store/embedded-server.ts'
import { waitFor } from '../support/wait-for.ts'

interface Holder {
  readonly child: ChildProcess
  readonly port: number
  readonly startedHere: boolean
  readonly stopsHere: boolean
}

let seed: string
let dataDir: string
const servers: EmbeddedServer[] = []
const children: ChildProcess[] = []

// A cluster is made once; each test starts from a copy, as after a stop of long ago.
beforeAll(async () => {
  seed = await mkdtemp(join(tmpdir(), `interlock-tests-${process.pid}-seed-`))
  await (await startEmbeddedServer({ dataDir: seed })).stop()
})

afterAll(() => rm(seed, { recursive: true, force: true }))

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), `interlock-tests-${process.pid}-embedded-`))
  // cp, since Node's own does not keep the owner.
  execFileSync('cp', ['-a', `${seed}/.`, dataDir])
  await rm(join(dataDir, 'port'))
})

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  for (const server of servers.splice(0)) await server.stop()
  const left = await postmaster()
  if (left !== null) process.kill(left.pid, 'SIGQUIT')
  await rm(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
  expect(left, 'a server that nobody stopped').toBeNull()
})

async function start(): Promise<EmbeddedServer> {
  const server = await startEmbeddedServer({ dataDir })
  servers.push(server)
  return server
}

async function startElsewhere(): Promise<Holder> {
  const program = fileURLToPath(new URL('../support/hold-embedded-server.ts', import.meta.url))
  const child = spawn(process.execPath, [program, dataDir], { stdio: ['pipe', 'pipe', 'inherit'] })
  children.push(child)
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  return { child, ...JSON.parse(line) }
}

async function stopElsewhere({ child }: Holder): Promise<void> {
  child.stdin?.end()
  await once(child, 'exit')
}

function postmaster() {
  return findPostmaster(join(dataDir, 'server', 'cluster'))
}

async function ask<Row extends object>(server: EmbeddedServer, text: string): Promise<Row[]> {
  await server.ensureDatabase('interlock')
  const database = new Database({ url: server.url('interlock'), poolSize: 1 })
  return database.query<Row>(text).finally(() => database.end())
}

describe('startEmbeddedServer', () => {
  it('keeps what was written and the port, over a stop and a start', async () => {
    const first = await start()
    expect(first).toMatchObject({ startedHere: true, stopsHere: true })
    await ask(first, 'create table kept as select 1 as number')
    await first.stop()
    expect(await postmaster()).toBeNull()
    const second = await start()
    expect(second.port).toBe(first.port)
    expect(await ask(second, 'select number from kept')).toEqual([{ number: 1 }])
  })

  it('keeps acknowledged writes safe, and listens on loopback alone, for those who know the password', async () => {
    const server = await start()
    const settings = await ask(
      server,
      `select name, setting from pg_settings
       where name in ('fsync', 'synchronous_commit', 'listen_addresses', 'password_encryption', 'server_encoding')
       order by name`,
    )
    expect(settings.map((row) => Object.values(row).join(' '))).toEqual([
      'fsync on',
      'listen_addresses 127.0.0.1',
      'password_encryption scram-sha-256',
      'server_encoding UTF8',
      'synchronous_commit on',
    ])
    expect((await stat(join(dataDir, 'server', 'password'))).mode & 0o777).toBe(0o600)
    const stranger = new URL(server.url('interlock'))
    stranger.password = 'guessed'
    const refused = new Database({ url: stranger.href })
    await expect(refused.query('select 1')).rejects.toMatchObject({ code: 'unavailable' })
    await refused.end()
  })

  it('uses the server that a killed process left running, and stops it as its own', async () => {
    const holder = await startElsewhere()
    expect(holder).toMatchObject({ startedHere: true })
    const before = await postmaster()
    holder.child.kill('SIGKILL')
    await once(holder.child, 'exit')
    const server = await start()
    expect(server).toMatchObject({ startedHere: false, stopsHere: true, port: holder.port })
    expect((await postmaster())?.pid).toBe(before?.pid)
    await server.stop()
    expect(await postmaster()).toBeNull()
  })

  it('shares the server of a living process, which alone stops it', async () => {
    const first = await start()
    const second = await startElsewhere()
    expect(second).toMatchObject({ startedHere: false, stopsHere: false, port: first.port })
    await stopElsewhere(second)
    expect(await ask(first, 'select 1 as one')).toEqual([{ one: 1 }])
  })

  it('lets one of two that start together in an empty folder start the server', async () => {
    await rm(join(dataDir, 'server'), { recursive: true })
    const both = await Promise.all([startElsewhere(), startElsewhere()])
    expect(both.map(({ startedHere }) => startedHere).sort()).toEqual([false, true])
    expect(both.map(({ stopsHere }) => stopsHere).sort()).toEqual([false, true])
    expect(both[0].port).toBe(both[1].port)
    await Promise.all(both.map(stopElsewhere))
  })

  it('waits for a server that is stopping, and starts its own', async () => {
    const holder = await startElsewhere()
    const before = await postmaster()
    const stopped = stopElsewhere(holder)
    const server = await start()
    await stopped
    // Depending on the moment it found the old one, which then went, or waited; either way one of its own is next.
    const mine = server.startedHere ? server : await waitFor(start, { what: 'a server of its own' })
    expect(mine.startedHere).toBe(true)
    expect((await postmaster())?.pid).not.toBe(before?.pid)
  })

  it('is not misled by a pid file whose number now belongs to another program', async () => {
    const first = await start()
    await first.stop()
    await writeFile(
      join(dataDir, 'server', 'cluster', 'postmaster.pid'),
      `${process.pid}\n${dataDir}\n0\n${first.port}\n\n127.0.0.1\n\nready\n`,
    )
    expect(await start()).toMatchObject({ startedHere: true })
  })

  it('recovers after the server itself was killed', async () => {
    const first = await start()
    await ask(first, 'create table kept as select 1 as number')
    const killed = await postmaster()
    process.kill(killed?.pid ?? 0, 'SIGKILL')
    await waitFor(async () => (await postmaster()) === null, { what: 'the server to be gone' })
    const second = await start()
    expect(second.startedHere).toBe(true)
    expect(await ask(second, 'select number from kept')).toEqual([{ number: 1 }])
  })

  it('takes another port when its own is in use', async () => {
    const first = await start()
    await first.stop()
    const { createServer } = await import('node:net')
    const squatter = createServer().listen(first.port, '127.0.0.1')
    await once(squatter, 'listening')
    const second = await start()
    expect(second.port).not.toBe(first.port)
    squatter.close()
  })

  it('names the folder and the versions when the cluster is of another Postgres', async () => {
    await (await start()).stop()
    await writeFile(join(dataDir, 'server', 'cluster', 'PG_VERSION'), '12\n')
    await expect(start()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/holds a cluster of Postgres 12; this program brings 18/),
    })
  })

  it('names the folder when it cannot be written', async () => {
    await writeFile(join(dataDir, 'file'), '')
    await expect(startEmbeddedServer({ dataDir: join(dataDir, 'file', 'data') })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('cannot be used: ENOTDIR'),
    })
  })

  it('tells what the server said when it does not start', async () => {
    const failure = startEmbeddedServer({ dataDir, settings: { shared_buffers: 'plenty' } })
    await expect(failure).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/shared_buffers/),
    })
    expect(await readFile(join(dataDir, 'server.log'), 'utf8')).toContain('plenty')
  })
})

describe('isReachableBy', () => {
  it('finds what lies in a private folder out of reach of another user', async () => {
    const stranger = { uid: 54321, gid: 54321 }
    await mkdir(join(dataDir, 'open'), { mode: 0o755 })
    expect(await isReachableBy(join(dataDir, 'open'), stranger, 'enter')).toBe(false)
    expect(await isReachableBy(tmpdir(), stranger, 'enter')).toBe(true)
  })
})
