import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Database, type DatabaseOptions } from '../../src/store/database.ts'
import type { Binaries } from '../../src/store/embedded/binaries.ts'
import { findPostmaster, isPostmasterOf } from '../../src/store/embedded/postmaster.ts'
import type { ServerSettings } from '../../src/store/embedded/server-process.ts'
import {
  type EmbeddedServer,
  type EmbeddedServerOptions,
  startEmbeddedServer,
} from '../../src/store/embedded-server.ts'
import { migrate } from '../../src/store/migrations.ts'
import { fastFolder } from './test-server.ts'
import { waitFor } from './wait-for.ts'

const databaseName = 'interlock'

export interface OwnServerOptions {
  readonly settings?: ServerSettings
  /** An empty one of the system's unless set. */
  readonly dataDir?: string
  /** Of another Postgres than the embedded one. */
  readonly binaries?: Binaries
}

/** The older Postgres that `npm test` found on this machine; null: it has none, or was not asked. */
export function olderBinaries(): Binaries | null {
  const binFolder = process.env.INTERLOCK_TEST_OLDER_SERVER ?? ''
  const major = Number(/(\d+)\/bin\/?$/.exec(binFolder)?.[1] ?? 15)
  return binFolder === '' ? null : { binFolder, major }
}

/** A durable server of a test's own, migrated, which may be stopped as a power cut stops it. */
export class OwnServer {
  readonly dataDir: string
  readonly #how: EmbeddedServerOptions
  readonly #databases: Database[] = []
  #server: EmbeddedServer

  static async start({ settings = {}, dataDir, binaries }: OwnServerOptions = {}): Promise<OwnServer> {
    const folder = dataDir ?? (await mkdtemp(join(fastFolder(), `interlock-tests-${process.pid}-own-`)))
    const how = { dataDir: folder, settings, ...(binaries === undefined ? {} : { binaries }) }
    const server = await startEmbeddedServer(how)
    const own = new OwnServer(how, server)
    await server.ensureDatabase(databaseName)
    await migrate(own.open())
    return own
  }

  private constructor(how: EmbeddedServerOptions, server: EmbeddedServer) {
    this.dataDir = how.dataDir
    this.#how = how
    this.#server = server
  }

  get url(): string {
    return this.#server.url(databaseName)
  }

  /** The data directory itself. */
  get cluster(): string {
    return join(this.dataDir, 'server', 'cluster')
  }

  /** A pool of its own; closed with the server. */
  open(options: Partial<DatabaseOptions> = {}): Database {
    const database = new Database({ url: this.url, ...options })
    this.#databases.push(database)
    return database
  }

  /** As `pg_ctl stop -m immediate` does: nothing is written any more, the next start recovers. Resolves when it is gone. */
  async stopAtOnce(): Promise<void> {
    const postmaster = await findPostmaster(this.cluster)
    if (postmaster === null) return
    process.kill(postmaster.pid, 'SIGQUIT')
    await waitFor(async () => !(await isPostmasterOf(postmaster.pid, this.cluster)), { what: 'the server to be gone' })
  }

  /** In order: what it has is on disk, and can be copied. */
  async stop(): Promise<void> {
    await this.#server.stop()
  }

  /** Resolves when it takes connections. */
  async startAgain(): Promise<void> {
    this.#server = await startEmbeddedServer(this.#how)
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#databases.map((database) => database.end()))
    await this.#server.stop()
    await rm(this.dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
  }
}
