import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { test } from 'vitest'
import { Agent } from '../../src/agent/agent.ts'
import type { AgentLog } from '../../src/agent/agent-log.ts'
import type { AgentOptions } from '../../src/agent/agent-options.ts'
import { Dispatcher } from '../../src/coordinator/dispatcher.ts'
import { Ticker } from '../../src/coordinator/ticker.ts'
import { createSilentLogger } from '../../src/observability/logger.ts'
import type { AgentMainOptions } from '../fixtures/agent/agent-main.ts'
import { statusOf, untilStatus } from '../support/job-facts.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'
import { waitFor } from '../support/wait-for.ts'
import { createMark, findMarked, type SeenProcess } from './marked-processes.ts'

export interface LogLine {
  readonly level: string
  readonly message: string
  readonly [field: string]: unknown
}

export interface AgentProcess {
  readonly pid: number
  readonly agentId: string
  readonly keeperPid: number
  readonly log: readonly LogLine[]
  /** The exit code, or the signal's name. */
  readonly exit: Promise<number | string>
  kill(signal: NodeJS.Signals): void
}

/** A test that is given a world of its own, so that those which mostly wait can wait at the same time. */
export const testInWorld = test.extend<{ world: AgentWorld }>({
  world: async ({ task: _ }, use) => {
    const world = await AgentWorld.create()
    try {
      await use(world)
    } finally {
      await world.close()
    }
  },
})

type Settings = Partial<Omit<AgentOptions, 'database' | 'log'>>

const entry = fileURLToPath(new URL('../fixtures/agent/agent-main.ts', import.meta.url))

/** A database, a coordinator's clock, and agents: in this process, or in processes that may be killed. */
export class AgentWorld {
  readonly test: TestDatabase
  readonly log: LogLine[] = []
  readonly mark = createMark()
  readonly #ticker: Ticker
  readonly #agents: Agent[] = []
  readonly #children: ChildProcess[] = []

  static async create(): Promise<AgentWorld> {
    return new AgentWorld(await createTestDatabase())
  }

  private constructor(test: TestDatabase) {
    this.test = test
    const { database } = test
    const dispatcher = new Dispatcher({ database })
    this.#ticker = new Ticker({ database, dispatcher, logger: createSilentLogger(), intervalMs: 250 })
    this.#ticker.start()
  }

  get agentLog(): AgentLog {
    const say = (level: string) => (fields: object, message: string) =>
      void this.log.push({ level, ...fields, message })
    return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') }
  }

  settings(settings: Settings): Omit<AgentOptions, 'database' | 'log'> {
    return {
      name: 'one',
      queues: ['default'],
      tasks: {},
      slots: 2,
      environment: { PATH: process.env.PATH ?? '', [this.mark.name]: this.mark.value },
      ...settings,
    }
  }

  async startAgent(settings: Settings): Promise<Agent> {
    const agent = new Agent({ ...this.settings(settings), database: this.test.database, log: this.agentLog })
    this.#agents.push(agent)
    await agent.start()
    return agent
  }

  /** `words` are for Node itself: a module to load before the program, for one. */
  async startAgentProcess(
    settings: Settings,
    words: readonly string[] = [],
    databaseUrl: string = this.test.url,
  ): Promise<AgentProcess> {
    const options: AgentMainOptions = { ...this.settings(settings), databaseUrl }
    const child = spawn(process.execPath, [...words, entry, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#children.push(child)
    const exit = new Promise<number | string>((resolve) =>
      child.on('exit', (code, signal) => resolve(code ?? signal ?? '')),
    )
    const ready: { agentId: string; keeperPid: number }[] = []
    const log: LogLine[] = []
    createInterface({ input: child.stdout }).on('line', (line) => ready.push(JSON.parse(line)))
    createInterface({ input: child.stderr }).on('line', (line) => log.push(readLine(line)))
    const [first] = await waitFor(() => ready.length > 0 && ready, { what: 'the agent’s process to be ready' })
    if (first === undefined) throw new Error('the agent said nothing')
    return { ...first, pid: child.pid ?? 0, log, exit, kill: (signal) => void child.kill(signal) }
  }

  /** Enqueues one job and returns its id. */
  async enqueue(job: Readonly<Record<string, unknown>>): Promise<string> {
    const [row] = await this.test.query<{ job_id: string }>('select job_id from interlock.enqueue_jobs($1)', [
      JSON.stringify([job]),
    ])
    return row?.job_id ?? ''
  }

  /** Its state, live or finished; null: there is no such job. */
  statusOf(jobId: string): Promise<string | null> {
    return statusOf(this.test.database, jobId)
  }

  untilStatus(jobId: string, status: string, timeoutMs = 10_000): Promise<void> {
    return untilStatus(this.test.database, jobId, status, timeoutMs)
  }

  /** Its events in order. */
  async eventsOf(
    jobId: string,
  ): Promise<readonly { event: string; agent: string | null; token: number | null; at: Date }[]> {
    return this.test.query(
      `select event_type as event, agent_id as agent, token, created_at as at
       from interlock.job_queue_log where job_id = $1 order by id`,
      [jobId],
    )
  }

  async untilReady(jobId: string): Promise<void> {
    await waitFor(async () => (await this.outputOf(jobId)).includes('ready'), {
      what: `job ${jobId} to say that it runs`,
    })
  }

  async agentStates(): Promise<readonly string[]> {
    const rows = await this.test.query<{ state: string }>(
      'select state from interlock.agent_stats where id <> interlock.locks_agent() order by incarnation',
    )
    return rows.map(({ state }) => state)
  }

  async timelineOf(jobId: string): Promise<readonly string[]> {
    return (await this.eventsOf(jobId)).map(({ event }) => event)
  }

  async outputOf(jobId: string): Promise<string> {
    const rows = await this.test.query<{ stream: string; lines: string }>(
      'select stream, lines from interlock.job_output where job_id = $1 order by seq',
      [jobId],
    )
    return rows.flatMap(({ stream, lines }) => lines.split('\n').map((line) => `${stream}: ${line}`)).join('\n')
  }

  async errorOf(jobId: string): Promise<Readonly<Record<string, unknown>> | null> {
    const [row] = await this.test.query<{ error: Record<string, unknown> }>(
      `select error from interlock.jobs where id = $1 and error is not null
       union all
       select error from interlock.job_results where job_id = $1 and error is not null`,
      [jobId],
    )
    return row?.error ?? null
  }

  async resultOf(jobId: string): Promise<unknown> {
    const [row] = await this.test.query<{ result: unknown }>(
      'select result from interlock.job_results where job_id = $1',
      [jobId],
    )
    return row?.result ?? null
  }

  /** Living processes of jobs: everything marked but the keepers. */
  processes(): readonly SeenProcess[] {
    return findMarked(this.mark).filter(({ command }) => !command.includes('keeper-process'))
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL')
    await Promise.all(this.#agents.map((agent) => agent.stop({ graceSeconds: 0 })))
    await this.#ticker.stop()
    await waitFor(() => findMarked(this.mark).length === 0, { what: 'no process to be left' }).finally(() => {
      for (const { pid } of findMarked(this.mark)) process.kill(pid, 'SIGKILL')
    })
  }
}

function readLine(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine
  } catch {
    return { level: 'error', message: line }
  }
}
