import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Database } from '../../src/store/database.ts'
import type { Binaries } from '../../src/store/embedded/binaries.ts'
import { choosePort } from '../../src/store/embedded/port.ts'
import { findPostmaster } from '../../src/store/embedded/postmaster.ts'
import { type EmbeddedServer, startEmbeddedServer } from '../../src/store/embedded-server.ts'
import { migrate } from '../../src/store/migrations.ts'
import { createMark, findMarked } from '../../tests/agent/marked-processes.ts'
import { Line } from '../../tests/support/line.ts'
import { createAuditor } from './auditor.ts'
import type { Finding } from './checks/finding.ts'
import { checkRest } from './checks/rest.ts'
import { generate } from './generator.ts'
import { createGhost } from './ghost.ts'
import { History } from './history.ts'
import { judge } from './judge.ts'
import { healDatabase, torment } from './nemesis.ts'
import { copyProgram, livenessByLease, type SourceEdit } from './program.ts'
import type { Scenario } from './scenario.ts'
import { ownProgram, Service } from './service.ts'
import { type Figures, figuresOf } from './summary.ts'
import { Workspace } from './workspace.ts'

export interface RunOptions {
  /** Where everything of the run is; removed when nothing was found, unless it is to be kept. */
  readonly folder: string
  readonly keep: 'always' | 'findings' | 'never'
  /** Called once the database is migrated: how a seeded defect gets in. */
  readonly onMigrated?: (database: Database) => Promise<void>
  /** Done to a copy of the program, which the processes then run. */
  readonly edits?: readonly SourceEdit[]
  readonly binaries?: Binaries
  readonly signal: AbortSignal
}

export interface RunResult {
  readonly findings: readonly Finding[]
  readonly figures: Figures
}

const databaseName = 'chaos'
// Durable against the death of processes, which is what happens here; not against that of the machine.
const settings = {
  fsync: 'off',
  full_page_writes: 'off',
  max_connections: '200',
  log_min_messages: 'error',
  log_min_error_statement: 'panic',
  log_line_prefix: '%e ',
  track_commit_timestamp: 'on',
}
const stopMs = 30_000

/**
 * One run of a scenario: jobs and faults together, then (but for safety alone) everything is healed and has to drain, then
 * it is judged.
 */
export async function run(scenario: Scenario, options: RunOptions): Promise<RunResult> {
  const { folder, signal, binaries } = options
  await mkdir(folder, { recursive: true })
  const workspace = new Workspace(folder, scenario)
  const { seed, shape } = scenario
  const history = new History(workspace.file('history.ndjson'), {
    seed,
    scenario: { ...scenario, jobs: scenario.jobs.length },
  })
  const edits = [...(options.edits ?? []), ...(shape.liveness === 'lease' ? [livenessByLease] : [])]
  const program = edits.length === 0 ? null : await copyProgram(edits)
  // Not inside the folder: the user that Postgres runs as may not enter that.
  const dataDir = await mkdtemp(join(tmpdir(), 'interlock-chaos-data-'))
  const serverOptions = { dataDir, settings, ...(binaries === undefined ? {} : { binaries }) }
  let server: EmbeddedServer = await startEmbeddedServer(serverOptions)
  const url = server.url(databaseName)
  const mark = createMark()
  const chaosMark = { name: 'CHAOS_MARK', value: mark.value }
  const admin = new Database({ url, poolSize: 3, applicationName: 'nemesis' })
  const auditor = createAuditor(url, history)
  const ghost = createGhost(url, history)
  const lines: Line[] = []
  const layLine = async () => {
    const line = await Line.lay(url)
    lines.push(line)
    return line
  }
  const services: Service[] = []
  const findings: Finding[] = []
  let drainedMs: number | null = null
  let isDone = false
  const watching = new AbortController()
  try {
    await server.ensureDatabase(databaseName)
    await migrate(admin)
    await options.onMigrated?.(admin)

    const serve = async (name: string, words: readonly string[]) => {
      const service = new Service({
        name,
        words: [...words, '--config', workspace.config],
        databaseUrl: url,
        line: await layLine(),
        logFile: workspace.file(`${name}.log`),
        program: program?.path ?? ownProgram,
        environment: { [chaosMark.name]: chaosMark.value },
        history,
      })
      services.push(service)
      service.start()
      return service
    }
    const urls: string[] = []
    const coordinators: Service[] = []
    for (let n = 1; n <= shape.coordinators; n += 1) {
      const port = await choosePort(null)
      urls.push(`http://127.0.0.1:${port}`)
      coordinators.push(await serve(`coordinator-${n}`, ['serve', '--port', String(port)]))
    }
    const agents: Service[] = []
    for (let n = 1; n <= shape.agents; n += 1) agents.push(await serve(`agent-${n}`, ['agent', '--name', `agent-${n}`]))
    const clientLine = await layLine()
    const clients = new Database({ url: clientLine.urlOf(url), poolSize: 5, applicationName: 'client' })
    void watchMemory(services, history, watching.signal)

    await untilReady(urls, signal)
    const victims = {
      agents,
      coordinators,
      clientLine,
      admin,
      databaseName,
      restartServer: async (awayMs: number) => {
        const postmaster = await findPostmaster(join(dataDir, 'server', 'cluster'))
        if (postmaster === null) throw new Error('the server is away already')
        process.kill(postmaster.pid, 'SIGQUIT')
        await sleep(awayMs)
        server = await startEmbeddedServer(serverOptions)
      },
    }
    auditor.start()
    ghost.start()
    await Promise.all([generate(scenario, { urls, database: clients }, history), torment(scenario, victims, history)])
    await clients.end()

    for (const line of lines) line.heal()
    // What it does looks like trouble to whoever wants to see rest.
    await ghost.stop()
    if (scenario.mode === 'liveness') {
      await healDatabase(admin, scenario)
      history.note({ kind: 'healed' })
      const healedAt = performance.now()
      if (await untilDrained(admin, scenario, signal)) {
        drainedMs = Math.round(performance.now() - healedAt)
        history.note({ kind: 'drained', afterMs: drainedMs })
        findings.push(...(await untilAtRest(admin)))
      } else {
        const left = await admin.query<{ what: string }>(
          `select format('%s %s on %s', j.id, j.status, j.agent_id) as what from interlock.jobs as j where j.status <> 'failed' limit 10`,
        )
        findings.push({ invariant: 'V', what: `not drained: ${left.map(({ what }) => what).join('; ')}` })
      }
    }
    await auditor.stop()
    watching.abort()
    await Promise.all(
      services.map(async (service) => {
        if (await service.stop(stopMs))
          findings.push({ invariant: 'V', what: `${service.name} did not end in ${stopMs} ms` })
      }),
    )
    await sleep(300)
    for (const { pid, command } of findMarked(chaosMark)) {
      findings.push({ invariant: 'C', what: `process ${pid} is left: ${command.slice(0, 100)}` })
      process.kill(pid, 'SIGKILL')
    }
    const serverLog = await readFile(join(dataDir, 'server.log'), 'utf8')
    const judgement = await judge({ scenario, database: admin, history, workspace, serverLog })
    findings.push(...judgement.findings)
    await writeFile(workspace.file('server.log'), serverLog)
    for (const name of ['log', 'jobs'] as const)
      await writeFile(
        workspace.file(`${name}.ndjson`),
        judgement[name].map((line) => `${JSON.stringify(line)}\n`),
      )
    const refusedWrites = workspace.refusedWrites(agents.map(({ name }) => `${name}.log`))
    const { rounds: looks } = auditor
    const figures = figuresOf({ scenario, history: history.events, ...judgement, looks, refusedWrites, drainedMs })
    isDone = true
    return { findings, figures }
  } finally {
    watching.abort()
    await auditor.stop()
    await ghost.stop()
    for (const service of services) await service.stop(0)
    for (const line of lines) await line.close()
    await admin.end()
    await server.stop()
    await history.close()
    await program?.dispose()
    await rm(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
    if (options.keep === 'never' || (options.keep === 'findings' && findings.length === 0 && isDone))
      await rm(folder, { recursive: true, force: true })
  }
}

async function untilReady(urls: readonly string[], signal: AbortSignal): Promise<void> {
  for (const url of urls) {
    for (let n = 0; ; n += 1) {
      signal.throwIfAborted()
      const response = await fetch(`${url}/readyz`).catch(() => null)
      if (response?.ok === true) break
      if (n > 300) throw new Error(`${url} is not ready after 30 s`)
      await sleep(100)
    }
  }
}

/** False when nothing at all happened for as long as it takes to give up an agent, and more; or in the end. */
async function untilDrained(database: Database, { leaseSeconds }: Scenario, signal: AbortSignal): Promise<boolean> {
  const standstillMs = (leaseSeconds + 12) * 1000
  const deadline = performance.now() + 90_000
  let last = { eventId: 0, atMs: performance.now() }
  while (performance.now() < Math.min(deadline, last.atMs + standstillMs)) {
    signal.throwIfAborted()
    const [row] = await database
      .query<{ left: boolean; event_id: number }>(
        `select exists (select from interlock.jobs as j where j.status <> 'failed') as left,
           (select l.id from interlock.job_queue_log as l where l.job_id is not null order by l.transaction_id desc, l.id desc limit 1) as event_id`,
      )
      .catch(() => [])
    if (row?.left === false) return true
    if (row !== undefined && row.event_id !== last.eventId) last = { eventId: row.event_id, atMs: performance.now() }
    await sleep(100)
  }
  return false
}

/** Rest comes a moment after the last job's end. What is there after so long stays. */
async function untilAtRest(database: Database): Promise<readonly Finding[]> {
  for (const deadline = performance.now() + 3000; ; await sleep(100)) {
    const findings = await checkRest(database, databaseName)
    if (findings.length === 0 || performance.now() > deadline) return findings
  }
}

async function watchMemory(services: readonly Service[], history: History, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const service of services) {
      const residentMiB = service.residentMiB()
      if (residentMiB !== null)
        history.note({ kind: 'memory', name: service.name, residentMiB: Math.round(residentMiB) })
    }
    await sleep(2000, undefined, { signal }).catch(() => undefined)
  }
}
