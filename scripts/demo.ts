// `npm run demo`: brings everything up as `interlock up --demo` does, plays the demonstration, prints who used what and
// when, and checks by the log that everything that was promised was kept. Exit code 0 if it was.
//
//   npm run demo                      on a Postgres of its own, which is thrown away
//   DATABASE_URL=... npm run demo     on a server of yours, beside what is there
//   npm run demo -- --keep            keeps the files that the jobs have made

import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createApp } from '../src/app.ts'
import { renderEvent } from '../src/cli/event-phrase.ts'
import type { App } from '../src/cli/launcher.ts'
import { createTerminal } from '../src/cli/terminal.ts'
import { loadConfig, readTerminalPreferences } from '../src/config.ts'
import type { EventPage } from '../src/domain/queue-event.ts'
import { Database } from '../src/store/database.ts'
import { readEvents } from '../src/store/event-page.ts'
import { hasSeenJobs } from '../src/store/first-use.ts'
import type { SeenWait } from './demo/checks/seen.ts'
import { describe } from './demo/checks/verdict.ts'
import { conduct, type Performance } from './demo/conductor.ts'
import { models } from './demo/demonstration.ts'
import { judgePerformance } from './demo/evidence.ts'
import { gantt } from './demo/gantt.ts'
import { type LogEvent, readHistory } from './demo/history.ts'
import { enqueueOverHttp, lookAtWait } from './demo/service.ts'
import { until } from './demo/until.ts'

const limitSeconds = 90
const columns = 100

const terminal = createTerminal({ stdout: process.stdout, stderr: process.stderr, ...readTerminalPreferences() })
const interruption = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => interruption.abort(new Error(`stopped by ${signal}`)))
}
process.exitCode = await main(AbortSignal.any([interruption.signal, AbortSignal.timeout(limitSeconds * 1000)])).catch(
  (error: unknown) => {
    terminal.note(
      `the demonstration did not come to its end: ${error instanceof Error ? error.message : String(error)}`,
    )
    return 1
  },
)
process.exit()

async function main(signal: AbortSignal): Promise<number> {
  const startedAtMs = performance.now()
  const folder = await mkdtemp(join(tmpdir(), 'interlock-demo-'))
  const workspace = join(folder, 'workspace')
  // The server's folder is another: the user that it may have to run as must not own what the jobs make.
  const dataDir = await mkdtemp(join(tmpdir(), 'interlock-demo-postgres-'))
  const running = bringUp(dataDir)
  // What did not come to its end is worth a look.
  let areKept = true
  try {
    await mkdir(workspace)
    await running.app.start(signal)
    const isOk = await play(running, workspace, signal)
    areKept = !isOk || process.argv.includes('--keep')
    terminal.print(
      `\n${isOk ? 'Everything held.' : 'SOMETHING DID NOT HOLD.'} ${inSeconds(performance.now() - startedAtMs)}`,
    )
    return isOk ? 0 : 1
  } finally {
    await running.app.stop()
    await rm(dataDir, { recursive: true, force: true })
    if (areKept && !interruption.signal.aborted) terminal.print(`The files of the jobs are in ${workspace}`)
    else await rm(folder, { recursive: true, force: true })
  }
}

interface Running {
  readonly app: App
  /** Where HTTP listens; known once started. */
  url(): string
}

function bringUp(dataDir: string): Running {
  const file = fileURLToPath(new URL('demo/interlock.toml', import.meta.url))
  const { config } = loadConfig({
    file,
    flags: [
      { flag: 'demo', path: ['database', 'data_dir'], value: dataDir },
      { flag: 'demo', path: ['http', 'port'], value: 0 },
      { flag: 'demo', path: ['agent', 'name'], value: 'demo-first' },
    ],
  })
  let url = ''
  const app = createApp(config, {
    parts: { migrations: true, coordinator: true, http: true, agent: true },
    logLevel: 'warn',
    log: terminal.log,
    showsEvents: true,
    onUp: ({ part, text, details }) => {
      if (part === 'http') url = String(details.url)
      terminal.print(`${terminal.paint('bold', part.padEnd(11))}  ${text}`)
    },
  })
  return { app, url: () => url }
}

async function play({ app, url }: Running, workspace: string, signal: AbortSignal): Promise<boolean> {
  const { databaseUrl } = app
  if (databaseUrl === null) throw new Error('the database is not up')
  const database = new Database({ url: databaseUrl, applicationName: 'interlock demo', poolSize: 4 })
  const showing = new AbortController()
  let shown: Promise<void> = Promise.resolve()
  const endShow = async () => {
    showing.abort()
    await shown.catch((error: unknown) => terminal.note(`the events could not be shown: ${String(error)}`))
  }
  try {
    const suffix = (await hasSeenJobs(database)) ? `-${Date.now().toString(36).slice(-5)}` : ''
    const [{ before = 0 } = {}] = await database.query<{ before: number }>(
      'select coalesce(max(id), 0) as before from interlock.job_queue_log',
    )
    shown = show(database, AbortSignal.any([signal, showing.signal]))
    const seen: SeenWait[] = []
    const performance = await conduct({
      database,
      databaseUrl,
      workspace,
      suffix,
      signal,
      enqueue: (requests) => enqueueOverHttp(url(), requests),
      say: (sentence) => terminal.print(terminal.paint('bold', `--- ${sentence}`)),
      onBlocked: async (jobId) => {
        const wait = await lookAtWait(jobId, url(), database)
        if (wait.overHttp.blocked_by_job_id === null || wait.inSql.blocked_by_job_id === null) return false
        seen.push(wait)
        return true
      },
    })
    await allEnded(database, performance, signal)
    await endShow()
    const log = await readHistory(database, before)
    terminal.print(`\n${timeline(log, performance)}\n`)
    const verdicts = await judgePerformance({ log, performance, seen, workspace, suffix, database })
    for (const verdict of verdicts) terminal.print(terminal.paint(verdict.isOk ? 'green' : 'red', describe(verdict)))
    return verdicts.every(({ isOk }) => isOk)
  } finally {
    await endShow()
    await database.end()
  }
}

/** Each event as a line, as `interlock up` shows them. */
async function show(database: Database, signal: AbortSignal): Promise<void> {
  let cursor: string | null = null
  for (let isLast = false; !isLast; ) {
    // One look after the end: what was committed just before it is shown too.
    isLast = signal.aborted
    const page: EventPage = await readEvents(database, { cursor, limit: 500 })
    for (const event of page.events) terminal.print(renderEvent(event, terminal))
    cursor = page.next_cursor
    if (!isLast) await sleep(100, undefined, { signal }).catch(() => undefined)
  }
}

async function allEnded(database: Database, { jobs }: Performance, signal: AbortSignal): Promise<void> {
  const ids = jobs.map(({ request }) => request.id)
  const count = async () => {
    const [row] = await database.query<{ ended: number }>(
      'select count(distinct job_id) as ended from interlock.task_history where job_id = any ($1)',
      [ids],
    )
    return row?.ended === ids.length
  }
  await until(count, { what: 'all jobs to end', timeoutMs: limitSeconds * 1000, signal, everyMs: 100 })
}

/** Who used what: a row for each user and for each model. */
function timeline(log: readonly LogEvent[], { jobs }: Performance): string {
  const users = [...new Set(jobs.flatMap(({ request }) => request.user ?? []))]
  const rows = [
    ...users.map((user) => ({ label: user, resource: `user:${user}` })),
    ...Object.values(models).map((model) => ({ label: model, resource: `model:${model}` })),
  ]
  const ids = new Set<string | null>(jobs.map(({ request }) => request.id))
  const times = log.filter(({ jobId }) => ids.has(jobId)).map(({ atMs }) => atMs)
  return gantt(log, rows, { columns, fromMs: Math.min(...times), toMs: Math.max(...times) })
}

function inSeconds(ms: number): string {
  return `It took ${(ms / 1000).toFixed(1)} s.`
}
