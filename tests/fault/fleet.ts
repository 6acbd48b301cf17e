import { existsSync, readFileSync } from 'node:fs'
import { test } from 'vitest'
import { createMark, findMarked, type SeenProcess } from '../agent/marked-processes.ts'
import { type RunningCli, startCli, temporaryFolder } from '../cli/run-cli.ts'
import { statusOf, timelineOf, untilStatus } from '../support/job-facts.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'
import { waitFor } from '../support/wait-for.ts'

export interface FleetOptions {
  /** The interlock.toml that all of its processes read. */
  readonly config: string
  /** Beside DATABASE_URL, of every process. */
  readonly environment?: Readonly<Record<string, string>>
}

export interface Part {
  readonly cli: RunningCli
  readonly pid: number
}

export interface Coordinator extends Part {
  readonly url: string
}

/** Tests that are given a fleet of their own, which ends with them. */
export const testInFleet = (options: FleetOptions) =>
  test.extend<{ fleet: Fleet }>({
    fleet: async ({ task: _ }, use) => {
      const fleet = await Fleet.create(options)
      try {
        await use(fleet)
      } finally {
        await fleet.end()
      }
    },
  })

/** Coordinators and agents as an operator runs them: the program itself, a process each, on one database. */
export class Fleet {
  readonly test: TestDatabase
  /** By a name that jobs inherit, which no INTERLOCK_ variable is. */
  readonly mark = { name: 'FLEET_MARK', value: createMark().value }
  readonly #folder: string
  readonly #environment: Readonly<Record<string, string>>
  readonly #started: RunningCli[] = []
  readonly #supervised: Promise<void>[] = []
  readonly #ending = new AbortController()

  static async create(options: FleetOptions): Promise<Fleet> {
    const test = await createTestDatabase()
    return new Fleet(test, await temporaryFolder({ 'interlock.toml': options.config }), options.environment ?? {})
  }

  private constructor(test: TestDatabase, folder: string, environment: Readonly<Record<string, string>>) {
    this.test = test
    this.#folder = folder
    this.#environment = environment
  }

  /** A command of the program, in the fleet's folder; `environment` comes on top. */
  async start(words: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<RunningCli> {
    const env = { DATABASE_URL: this.test.url, [this.mark.name]: this.mark.value, ...this.#environment, ...environment }
    const cli = await startCli(words, { cwd: this.#folder, env })
    this.#started.push(cli)
    return cli
  }

  async serve(options: { port?: number; environment?: Readonly<Record<string, string>> } = {}): Promise<Coordinator> {
    const cli = await this.start(['serve', '--port', String(options.port ?? 0)], options.environment)
    await cli.sees(/^http /m)
    return { cli, pid: cli.pid, url: /^http +(\S+)$/m.exec(cli.stdout())?.[1] ?? '' }
  }

  async agent(name: string, environment: Readonly<Record<string, string>> = {}): Promise<Part> {
    const cli = await this.start(['agent', '--name', name], environment)
    await cli.sees(/^agent /m)
    return { cli, pid: cli.pid }
  }

  /** An agent that is started again whenever it is gone, as a service manager would, until the fleet ends. */
  supervise(name: string): void {
    this.#supervised.push(this.#restart(name))
  }

  async #restart(name: string): Promise<void> {
    const { signal } = this.#ending
    while (!signal.aborted) {
      const { cli } = await this.agent(name)
      const stop = () => cli.kill('SIGTERM')
      signal.addEventListener('abort', stop)
      if (signal.aborted) stop()
      await cli.ended()
      signal.removeEventListener('abort', stop)
    }
  }

  async enqueue(...jobs: readonly Readonly<Record<string, unknown>>[]): Promise<readonly string[]> {
    const rows = await this.test.query<{ job_id: string }>(
      'select job_id from interlock.enqueue_jobs($1) order by ordinal',
      [JSON.stringify(jobs)],
    )
    return rows.map(({ job_id }) => job_id)
  }

  /** Its state, live or finished; null: there is no such job. */
  statusOf(jobId: string): Promise<string | null> {
    return statusOf(this.test.database, jobId)
  }

  untilStatus(jobId: string, status: string, timeoutMs = 20_000): Promise<void> {
    return untilStatus(this.test.database, jobId, status, timeoutMs)
  }

  eventsOf(jobId: string): Promise<readonly string[]> {
    return timelineOf(this.test.database, jobId)
  }

  async errorOf(jobId: string): Promise<Readonly<Record<string, unknown>> | null> {
    const [row] = await this.test.query<{ error: Record<string, unknown> }>(
      'select error from interlock.jobs where id = $1',
      [jobId],
    )
    return row?.error ?? null
  }

  /** Living processes that the fleet has started, its jobs' among them. */
  processes(): readonly SeenProcess[] {
    return findMarked(this.mark)
  }

  keepers(): readonly SeenProcess[] {
    return this.processes().filter(({ command }) => command.includes('keeper-process'))
  }

  /** What its jobs have started: everything but the program itself. */
  jobProcesses(): readonly SeenProcess[] {
    return this.processes().filter(({ command }) => !/keeper-process|src\/main\.ts/.test(command))
  }

  /** A file in the fleet's folder; null where there is none. */
  read(name: string): string | null {
    const path = `${this.#folder}/${name}`
    return existsSync(path) ? readFileSync(path, 'utf8') : null
  }

  /** SIGTERM to all that run still; resolves when they are gone, and what their jobs had started too. */
  async end(): Promise<void> {
    this.#ending.abort()
    await Promise.all(this.#supervised)
    for (const cli of this.#started) cli.kill('SIGTERM')
    await Promise.all(this.#started.map((cli) => cli.ended()))
    await waitFor(() => this.processes().length === 0, { what: 'no process to be left' }).finally(() => {
      for (const { pid } of this.processes()) process.kill(pid, 'SIGKILL')
    })
    await this.test.drop()
  }
}
