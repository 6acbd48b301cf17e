import { existsSync, statfsSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runMigrations } from 'graphile-worker'
import { Database } from '../../src/store/database.ts'
import type { Binaries } from '../../src/store/embedded/binaries.ts'
import { findPostmaster } from '../../src/store/embedded/postmaster.ts'
import { startEmbeddedServer } from '../../src/store/embedded-server.ts'
import { migrate } from '../../src/store/migrations.ts'

export interface TestServer {
  url(databaseName: string): string
  stop(): Promise<void>
}

// Only tests give up durability: what they write is thrown away.
const settings = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '300',
}

const ramFolder = '/dev/shm'
const roomBytes = 6 * 1024 ** 3

/** A server of this run's own, in memory where there is room for it. */
export async function startTestServer(binaries?: Binaries): Promise<TestServer> {
  await removeLeftovers()
  const dataDir = await mkdtemp(join(fastFolder(), `interlock-tests-${process.pid}-`))
  const server = await startEmbeddedServer({ dataDir, settings, ...(binaries === undefined ? {} : { binaries }) })
  return {
    url: server.url,
    async stop() {
      await server.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

/** The server that this URL names; its user has to be allowed to create databases. */
export function serverAt(url: string): TestServer {
  return {
    url(databaseName) {
      const changed = new URL(url)
      changed.pathname = `/${encodeURIComponent(databaseName)}`
      return changed.href
    },
    stop: async () => undefined,
  }
}

export interface Template {
  readonly name: string
  readonly serverMajor: number
  drop(): Promise<void>
}

/** Builds the database that every test's own is a copy of: migrated by us and by graphile-worker. */
export async function buildTemplate(server: TestServer): Promise<Template> {
  const name = `interlock_template_${process.pid}_${Date.now().toString(36)}`
  const admin = new Database({ url: server.url('postgres'), poolSize: 1, applicationName: 'tests: template' })
  await admin.query(`create database ${name}`)
  const template = new Database({ url: server.url(name), poolSize: 2, applicationName: 'tests: template' })
  try {
    await migrate(template)
    await runMigrations({ pgPool: template.pool })
  } finally {
    await template.end()
  }
  const [version] = await admin.query<{ major: number }>(
    `select current_setting('server_version_num')::int / 10000 as major`,
  )
  return {
    name,
    serverMajor: version?.major ?? 0,
    async drop() {
      await admin.query(`drop database ${name} with (force)`)
      await admin.end()
    },
  }
}

/** In memory where there is room for servers. */
export function fastFolder(): string {
  if (!existsSync(ramFolder)) return tmpdir()
  const { bavail, bsize } = statfsSync(ramFolder)
  return bavail * bsize > roomBytes ? ramFolder : tmpdir()
}

// A run that was killed left its server running, in a folder that bears its number.
async function removeLeftovers(): Promise<void> {
  for (const parent of new Set([tmpdir(), ramFolder])) {
    for (const name of await readdir(parent).catch(() => [])) {
      const pid = Number(/^interlock-tests-(\d+)-/.exec(name)?.[1] ?? process.pid)
      if (isRunning(pid)) continue
      const postmaster = await findPostmaster(join(parent, name, 'server', 'cluster'))
      if (postmaster !== null) process.kill(postmaster.pid, 'SIGQUIT')
      await rm(join(parent, name), { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
