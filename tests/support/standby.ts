import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Database } from '../../src/store/database.ts'
import { choosePort } from '../../src/store/embedded/port.ts'
import { type EmbeddedServer, startEmbeddedServer } from '../../src/store/embedded-server.ts'
import type { OwnServer } from './own-server.ts'
import { fastFolder } from './test-server.ts'
import { waitFor } from './wait-for.ts'

/** A hot standby of a server: a copy of its files, taken while it was stopped, that follows it by streaming. */
export class Standby {
  readonly url: string
  readonly #dataDir: string
  readonly #databases: Database[] = []
  /** Resolves when it has been promoted: only then it takes writes, and counts as started. */
  readonly #started: Promise<EmbeddedServer>
  readonly #giveUp: AbortController

  /** Follows by way of the URL given, which may lead through a line. */
  static async follow(primary: OwnServer, replicationUrl: string): Promise<Standby> {
    const dataDir = await mkdtemp(join(fastFolder(), `interlock-tests-${process.pid}-standby-`))
    await primary.stop()
    await promisify(execFile)('cp', ['-a', `${primary.dataDir}/.`, dataDir])
    await primary.startAgain()
    await rm(join(dataDir, 'owner'), { force: true })
    const cluster = join(dataDir, 'server', 'cluster')
    await rm(join(cluster, 'postmaster.pid'), { force: true })
    await promisify(execFile)('cp', ['-a', join(cluster, 'PG_VERSION'), join(cluster, 'standby.signal')])
    const port = await choosePort(null)
    await writeFile(join(dataDir, 'port'), `${port}\n`)
    const { hostname, port: primaryPort, username, password } = new URL(replicationUrl)
    const giveUp = new AbortController()
    const started = startEmbeddedServer({
      dataDir,
      signal: giveUp.signal,
      settings: {
        primary_conninfo: `host=${hostname} port=${primaryPort} user=${username} password=${password} application_name=standby`,
        wal_retrieve_retry_interval: '200ms',
      },
    })
    started.catch(() => undefined)
    const url = new URL(primary.url)
    url.port = String(port)
    const standby = new Standby(url.href, dataDir, started, giveUp)
    await waitFor(() => standby.open().query('select pg_is_in_recovery()'), { what: 'the standby to answer' })
    await waitFor(
      async () =>
        (await primary.open().query(`select from pg_stat_replication where state = 'streaming'`)).length === 1,
      { what: 'the standby to follow' },
    )
    return standby
  }

  private constructor(url: string, dataDir: string, started: Promise<EmbeddedServer>, giveUp: AbortController) {
    this.url = url
    this.#dataDir = dataDir
    this.#started = started
    this.#giveUp = giveUp
  }

  open(): Database {
    const database = new Database({ url: this.url })
    this.#databases.push(database)
    return database
  }

  async promote(): Promise<void> {
    await this.open().query('select pg_promote()')
    await this.#started
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#databases.map((database) => database.end()))
    const pid = Number(
      (await readFile(join(this.#dataDir, 'server', 'cluster', 'postmaster.pid'), 'utf8')).split('\n')[0],
    )
    this.#giveUp.abort(new Error('the test is over'))
    await this.#started
      .then(
        (server) => server.stop(),
        () => process.kill(pid, 'SIGQUIT'),
      )
      .catch(() => undefined)
    await rm(this.#dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
  }
}
