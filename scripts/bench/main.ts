import { writeFile } from 'node:fs/promises'
import type { Bench, Report, Result } from './bench.ts'
import { BenchServer, describeMachine } from './bench-server.ts'
import { blocked } from './blocked.ts'
import { contention } from './contention.ts'
import { drains } from './drain.ts'
import { enqueue } from './enqueue.ts'
import { gangs } from './gangs.ts'
import { keyed } from './keyed.ts'
import { lanes } from './lanes.ts'
import { latency } from './latency.ts'
import { parseOptions, type ScenarioName } from './options.ts'
import { reportText } from './report.ts'
import { serial } from './serial.ts'
import { soak } from './soak.ts'
import { status } from './status.ts'
import { targetsOf } from './targets.ts'

// Measures what the README says, and its peers beside it: ratios of one run mean something on any machine, figures only
// on this one. A scenario a file; a system a file under systems/; rounds.ts says how they take turns.

const scenarios: Readonly<Record<ScenarioName, (bench: Bench) => Promise<void>>> = {
  keyed,
  blocked,
  lanes,
  gangs,
  contention,
  serial,
  latency,
  enqueue,
  soak,
  status,
  drain: drains,
}

const { only, json, out, sizes } = parseOptions(process.argv.slice(2))
const interruption = new AbortController()
const { signal } = interruption
const interrupt = () => {
  // Once: what runs comes to its end. Twice: it has to go now, and leaves the server to the next one that comes by.
  if (signal.aborted) process.exit(130)
  process.stderr.write('interrupted: finishing what is under way\n')
  interruption.abort()
}
process.on('SIGINT', interrupt)
process.on('SIGTERM', interrupt)

const began = performance.now()
const results: Result[] = []
const server = await BenchServer.start(signal)
try {
  const bench: Bench = {
    server,
    sizes,
    signal,
    say: (line) => process.stderr.write(`${((performance.now() - began) / 1000).toFixed(0).padStart(5)} s  ${line}\n`),
    report: (result) => void results.push(result),
  }
  for (const name of only) {
    if (signal.aborted) break
    await scenarios[name](bench).catch((error: unknown) => {
      if (signal.aborted) return
      // One that failed does not take with it what the others have measured.
      bench.say(`${name} failed: ${error instanceof Error ? error.stack : String(error)}`)
      process.exitCode = 1
    })
  }
  const report: Report = {
    machine: describeMachine(),
    postgres: await server.settings(),
    seed: sizes.seed,
    interrupted: signal.aborted,
    results,
    targets: targetsOf(results),
  }
  const text = JSON.stringify(report, null, 2)
  if (out !== null) await writeFile(out, `${text}\n`)
  console.log(json ? text : reportText(report))
} finally {
  await server.stop()
}
if (signal.aborted) process.exitCode = 130
