// Faults: real coordinators and agents as processes on a real Postgres, a seeded generator of jobs, a seeded nemesis, and a
// checker that knows what the clients were told and what the tables say.
//
//   npm run chaos                                  one run, of a seed that it prints
//   npm run chaos -- --seed 7                      that run again
//   npm run chaos -- --runs 50 --minutes 20        runs from the seed on, until either is reached
//   npm run chaos -- --faults "kill agent,cut line"

import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { run } from './run.ts'
import { allFaults, type FaultKind, scenarioOf } from './scenario.ts'

const program = new Command('chaos')
  .description(
    'Runs jobs while faults happen, and checks that nothing is lost, nothing runs twice and nobody is let in.',
  )
  .option('--seed <n>', 'of the first run; the next ones follow', Number, Math.floor(Math.random() * 1e9))
  .option('--runs <n>', 'how many', Number)
  .option('--minutes <n>', 'begin no further run after so long', Number, Number.POSITIVE_INFINITY)
  .option('--seconds <n>', 'of jobs and faults in a run', Number, 12)
  .option('--jobs <n>', 'in a run', Number, 400)
  .option('--faults <kinds>', `by commas: ${allFaults.join(', ')}; none for none`, readFaults)
  .option('--keep', 'keep the folder of every run')
  .option('--json', 'a line of JSON a run')
  .parse()
interface Options {
  readonly seed: number
  readonly runs?: number
  readonly minutes: number
  readonly seconds: number
  readonly jobs: number
  readonly faults?: readonly FaultKind[]
  readonly json?: true
  readonly keep?: true
}
const { seed, minutes, seconds, jobs, faults, json, keep, ...options } = program.opts<Options>()
const runs = options.runs ?? (Number.isFinite(minutes) ? Number.POSITIVE_INFINITY : 1)

const stopping = new AbortController()
process.once('SIGINT', () => stopping.abort(new Error('interrupted')))
const startedAt = performance.now()
const total = { runs: 0, jobs: 0, attempts: 0, faults: 0, findings: 0 }
for (let n = 0; n < runs && performance.now() - startedAt < minutes * 60_000 && !stopping.signal.aborted; n += 1) {
  const scenario = scenarioOf({ seed: seed + n, seconds, jobs, ...(faults === undefined ? {} : { faults }) })
  const folder = await mkdtemp(join(tmpdir(), `interlock-chaos-${seed + n}-`))
  const { findings, counts, drainedMs } = await run(scenario, {
    folder,
    keep: keep === undefined ? 'findings' : 'always',
    signal: stopping.signal,
  })
  total.runs += 1
  total.jobs += counts.accepted ?? 0
  total.attempts += counts.attempts ?? 0
  total.faults += counts.faults ?? 0
  total.findings += findings.length
  if (json) console.log(JSON.stringify({ seed: seed + n, counts, drainedMs, findings }))
  else {
    const words = Object.entries(counts).map(([name, count]) => `${name} ${count}`)
    console.log(`seed ${seed + n}: ${words.join(', ')}; drained ${drainedMs} ms after the last fault`)
    for (const { invariant, what } of findings) console.log(`  ${invariant} ${what}`)
    if (keep || findings.length > 0) console.log(`  kept: ${folder}`)
  }
  if (findings.length > 0) process.exitCode = 1
}
if (!json) {
  console.log(
    `${total.runs} runs, ${total.jobs} jobs, ${total.attempts} attempts, ${total.faults} faults: ${total.findings} findings`,
  )
}

function readFaults(text: string): readonly FaultKind[] {
  if (text === 'none') return []
  return text.split(',').map((name) => {
    const kind = allFaults.find((fault) => fault === name.trim())
    if (kind === undefined) throw new InvalidArgumentError(`There is no fault "${name.trim()}".`)
    return kind
  })
}
