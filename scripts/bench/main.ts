import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import Table from 'cli-table3'
import { Command } from 'commander'
import { Database } from '../../src/store/database.ts'
import { startEmbeddedServer } from '../../src/store/embedded-server.ts'
import { migrate } from '../../src/store/migrations.ts'
import { enqueueBlocked } from './blocked.ts'
import { drain } from './drain.ts'
import { measureLatency } from './latency.ts'
import { checkLog } from './log-check.ts'

// Measures what the README says. Ratios are taken in one run, for machines are noisy; Postgres keeps fsync and
// synchronous commit on.

interface Result {
  readonly scenario: string
  readonly system: 'interlock'
  readonly parameters: Readonly<Record<string, number>>
  readonly jobs_per_second?: number
  readonly figures: Readonly<Record<string, number>>
}

const program = new Command('bench')
  .description('Measures throughput and latency on an embedded Postgres of its own.')
  .addHelpText(
    'before',
    'npm run bench -- --only drain --jobs 20000\nnpm run bench -- --only blocked --blocked 100000 --json\n',
  )
  .option('--only <names>', 'scenarios: drain, blocked, latency', 'drain,blocked,latency')
  .option('--jobs <n>', 'jobs of a drain', Number, 20_000)
  .option('--users <n>', '', Number, 2000)
  .option('--models <n>', '', Number, 200)
  .option('--claimers <n>', '', Number, 4)
  .option('--batch <n>', 'jobs a claim', Number, 50)
  .option('--blocked <n>', 'waiting jobs of one busy user in front', Number, 1_000_000)
  .option('--seed <n>', '', Number, Math.floor(Math.random() * 1e6))
  .option('--json', 'machine-readable')
  .parse()
const options = program.opts<{
  only: string
  jobs: number
  users: number
  models: number
  claimers: number
  batch: number
  blocked: number
  seed: number
  json?: true
}>()

const results: Result[] = []
const scenarios = options.only.split(',')
const folder = await mkdtemp(join(tmpdir(), 'interlock-bench-'))
await chmod(folder, 0o755)
const server = await startEmbeddedServer({ dataDir: folder })
try {
  if (scenarios.includes('drain')) await measureDrain('drain', 0)
  if (scenarios.includes('blocked')) {
    if (!scenarios.includes('drain')) await measureDrain('drain', 0)
    await measureDrain('blocked', options.blocked)
  }
} finally {
  await server.stop()
  await rm(folder, { recursive: true, force: true })
}
if (scenarios.includes('latency')) {
  const { jobs, ...figures } = await measureLatency(200)
  results.push({
    scenario: 'latency',
    system: 'interlock',
    parameters: { jobs },
    figures: {
      assigned_ms_median: figures.assignedMsMedian,
      assigned_ms_p99: figures.assignedMsP99,
      first_line_ms_median: figures.firstLineMsMedian,
    },
  })
}
print()

async function measureDrain(scenario: string, blocked: number): Promise<void> {
  const { jobs, users, models, claimers, batch, seed } = options
  process.stderr.write(`${scenario}: ${jobs} jobs, ${blocked} blocked in front, seed ${seed}\n`)
  const name = `bench_${scenario}`
  await server.ensureDatabase(name)
  const database = new Database({ url: server.url(name), poolSize: claimers + 2, statementTimeoutSeconds: 0 })
  try {
    await migrate(database)
    if (blocked > 0) await enqueueBlocked(database, blocked)
    const run = await drain(database, { jobs, users, models, claimers, batch, seed })
    const verdict = await checkLog(database)
    results.push({
      scenario,
      system: 'interlock',
      parameters: { jobs, users, models, claimers, batch, blocked, seed },
      jobs_per_second: Math.round(run.jobsPerSecond),
      figures: {
        enqueued_per_second: Math.round(run.enqueuedPerSecond),
        claim_ms_median: run.claimMsMedian,
        claim_ms_p99: run.claimMsP99,
        wal_bytes_per_job: Math.round(run.walBytesPerJob),
        lost_or_twice: verdict.lostOrTwice,
        overlaps: verdict.overlaps,
        violations: verdict.violations,
      },
    })
  } finally {
    await database.end()
  }
}

function print(): void {
  const machine = { cores: cpus().length, model: cpus()[0]?.model ?? 'unknown', node: process.version }
  if (options.json) {
    console.log(JSON.stringify({ machine, results }, null, 2))
    return
  }
  console.log(`${machine.cores} cores (${machine.model}), Node ${machine.node}, embedded Postgres, fsync on`)
  const table = new Table({ head: ['scenario', 'parameters', 'jobs/s', 'figures'], style: { head: [], border: [] } })
  for (const { scenario, parameters, jobs_per_second, figures } of results)
    table.push([scenario, list(parameters), jobs_per_second ?? '', list(figures)])
  console.log(table.toString())
}

function list(values: Readonly<Record<string, number>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${Number.isInteger(value) ? value : value.toFixed(1)}`)
    .join('\n')
}
