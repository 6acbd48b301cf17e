import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { Database } from '../../src/store/database.ts'
import { type EmbeddedServer, startEmbeddedServer } from '../../src/store/embedded-server.ts'

export interface Machine {
  readonly cores: number
  readonly processor: string
  readonly memory_gib: number
  readonly platform: string
  readonly node: string
}

/** What decides how fast a Postgres can be at all, as the server itself says it. */
export type PostgresSettings = Readonly<Record<string, string>>

const toldSettings = [
  'server_version',
  'fsync',
  'synchronous_commit',
  'full_page_writes',
  'wal_level',
  'wal_sync_method',
  'shared_buffers',
  'max_wal_size',
  'checkpoint_timeout',
  'autovacuum',
  'autovacuum_naptime',
  'jit',
]

export interface WalWritten {
  readonly bytes: number
  readonly imageBytes: number
}

/** A Postgres of the benchmark's own, durable: the numbers of one that forgets are of no use to anybody. */
export class BenchServer {
  readonly #server: EmbeddedServer
  readonly #folder: string
  readonly #admin: Database
  #databases = 0

  private constructor(server: EmbeddedServer, folder: string) {
    this.#server = server
    this.#folder = folder
    this.#admin = new Database({ url: server.url('postgres'), poolSize: 2, statementTimeoutSeconds: 0 })
  }

  static async start(signal: AbortSignal): Promise<BenchServer> {
    const folder = await mkdtemp(join(tmpdir(), 'interlock-bench-'))
    // It runs as a user of its own where this one is root.
    await chmod(folder, 0o755)
    const bench = new BenchServer(await startEmbeddedServer({ dataDir: folder, signal }), folder)
    await bench.#admin.query('create extension if not exists pg_walinspect')
    return bench
  }

  /** The URL of a new, empty database. */
  async createDatabase(name: string): Promise<string> {
    this.#databases++
    const unique = `bench_${this.#databases}_${name.replaceAll('-', '_')}`
    await this.#server.ensureDatabase(unique)
    return this.#server.url(unique)
  }

  async settings(): Promise<PostgresSettings> {
    const rows = await this.#admin.query<{ name: string; value: string }>(
      'select name, current_setting(name) as value from pg_settings where name = any ($1)',
      [toldSettings],
    )
    const values = new Map(rows.map(({ name, value }) => [name, value]))
    return Object.fromEntries(toldSettings.map((name) => [name, values.get(name) ?? 'unknown']))
  }

  async checkpoint(): Promise<void> {
    await this.#admin.query('checkpoint')
  }

  async walPosition(): Promise<string> {
    const [row] = await this.#admin.query<{ lsn: string }>('select pg_current_wal_insert_lsn()::text as lsn')
    return row?.lsn ?? '0/0'
  }

  /**
   * What everybody wrote from there to there, read from the log itself, record by record. Full-page images apart: how many
   * there are depends on the checkpoints and not on the jobs. NaN where a checkpoint has taken some of it away meanwhile.
   */
  async walBetween(from: string, to: string): Promise<WalWritten> {
    const read = this.#admin.query<{ bytes: number; image_bytes: number }>(
      `select coalesce(sum(record_size), 0)::float8 as bytes, coalesce(sum(fpi_size), 0)::float8 as image_bytes
       from pg_get_wal_stats($1, $2)`,
      [from, to],
    )
    const [row] = await read.catch(() => [])
    return { bytes: row?.bytes ?? Number.NaN, imageBytes: row?.image_bytes ?? Number.NaN }
  }

  /** What the server has written since it came up, for spans too long to be read back. */
  async walCounters(): Promise<{ readonly bytes: number; readonly images: number }> {
    const [row] = await this.#admin.query<{ bytes: number; images: number }>(
      'select wal_bytes::float8 as bytes, wal_fpi::float8 as images from pg_stat_wal',
    )
    return { bytes: row?.bytes ?? Number.NaN, images: row?.images ?? Number.NaN }
  }

  async stop(): Promise<void> {
    await this.#admin.end()
    await this.#server.stop()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

export function describeMachine(): Machine {
  const processors = cpus()
  return {
    cores: processors.length,
    processor: processors[0]?.model.trim() ?? 'unknown',
    memory_gib: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
  }
}
