// Faults: real coordinators and agents as processes on a real Postgres, a seeded generator of jobs, a seeded nemesis, and a
// checker that knows what the clients were told and what the tables say.
//
//   npm run chaos                                  one run, of a seed that it prints
//   npm run chaos -- --seed 7                      that run again
//   npm run chaos -- --runs 50 --minutes 20        runs from the seed on, until either is reached
//   npm run chaos -- --faults "kill agent,cut line"
//   npm run chaos -- --mode safety                 faults until the end; nothing is healed, nothing has to drain

import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { build, type Defect, defects } from './defects.ts'
import { run } from './run.ts'
import { allFaults, type FaultKind, type Mode, scenarioOf } from './scenario.ts'
import { type Figures, linesOf, quantile, sumOf } from './summary.ts'

const program = new Command('chaos')
  .description(
    'Runs jobs while faults happen, and checks that nothing is lost, nothing runs twice and nobody is let in.',
  )
  .option('--seed <n>', 'of the first run; the next ones follow', Number, Math.floor(Math.random() * 1e9))
  .option('--runs <n>', 'how many', Number)
  .option('--minutes <n>', 'begin no further run after so long', Number, Number.POSITIVE_INFINITY)
  .option('--seconds <n>', 'of jobs and faults in a run; 10 unless set', Number)
  .option('--jobs <n>', 'in a run', Number, 1000)
  .addOption(
    new Option('--mode <mode>', 'liveness: after the faults all is healed and has to drain')
      .choices(['liveness', 'safety'])
      .default('liveness'),
  )
  .option('--every <seconds>', 'a fault, on the average; twice as seldom, or as often, at the most', Number, 1.2)
  .option('--faults <kinds>', `by commas: ${allFaults.join(', ')}; none for none`, readFaults)
  .option('--defect <name>', 'with this seeded defect, by how its name begins', readDefect)
  .option('--keep', 'keep the folder of every run')
  .option('--json', 'a line of JSON a run, and one of all together at the end')
  .parse()
interface Options {
  readonly seed: number
  readonly runs?: number
  readonly minutes: number
  readonly seconds?: number
  readonly every: number
  readonly jobs: number
  readonly mode: Mode
  readonly faults?: readonly FaultKind[]
  readonly defect?: Defect
  readonly json?: true
  readonly keep?: true
}
const { seed, minutes, every: everySeconds, jobs, mode, json, keep, defect, ...options } = program.opts<Options>()
const seconds = options.seconds ?? defect?.seconds ?? 10
const faults = options.faults ?? defect?.faults
const runs = options.runs ?? (Number.isFinite(minutes) ? Number.POSITIVE_INFINITY : 1)

// A run has more processes than ten, and ends each of them with its own.
process.setMaxListeners(100)
const stopping = new AbortController()
process.once('SIGINT', () => stopping.abort(new Error('interrupted')))
const startedAt = performance.now()
const all: { readonly seed: number; readonly figures: Figures; readonly findings: readonly string[] }[] = []
const broken: { readonly seed: number; readonly why: string }[] = []

for (let n = 0; n < runs && performance.now() - startedAt < minutes * 60_000 && !stopping.signal.aborted; n += 1) {
  const of = seed + n
  const scenario = scenarioOf({
    seed: of,
    seconds,
    jobs,
    mode,
    everySeconds,
    ...(faults === undefined ? {} : { faults }),
    ...(defect?.shape === undefined ? {} : { shape: defect.shape }),
  })
  const folder = await mkdtemp(join(tmpdir(), `interlock-chaos-${of}-`))
  const ranFrom = performance.now()
  try {
    const { signal } = stopping
    const result = await run(scenario, {
      folder,
      keep: keep === undefined ? 'findings' : 'always',
      signal,
      ...(defect === undefined ? {} : build(defect)),
    })
    const findings = result.findings.map(({ invariant, what }) => `${invariant} ${what}`)
    all.push({ seed: of, figures: result.figures, findings })
    const ranMs = Math.round(performance.now() - ranFrom)
    if (json) console.log(JSON.stringify({ seed: of, ranMs, figures: result.figures, findings }))
    else {
      const { jobs: taken, starts, faults: happened, drainedMs } = result.figures
      const times = Object.values(happened).reduce((sum, each) => sum + each, 0)
      const drain = drainedMs === null ? '' : `, drained ${drainedMs} ms after the last`
      console.log(
        `seed ${of}: ${taken} jobs, ${starts} starts, ${times} faults${drain}; ${(ranMs / 1000).toFixed(1)} s; ${findings.length} findings`,
      )
      for (const finding of findings) console.log(`  ${finding}`)
      if (keep || findings.length > 0) console.log(`  kept: ${folder}`)
    }
  } catch (error) {
    if (stopping.signal.aborted) break
    // No verdict is not a good one.
    broken.push({ seed: of, why: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    console.error(`seed ${of}: the run itself failed: ${broken.at(-1)?.why}\n  kept: ${folder}`)
  }
}

const total = sumOf(all.map(({ figures }) => figures))
const findings = all.flatMap(({ seed: of, findings: found }) => found.map((finding) => ({ seed: of, finding })))
if (json) {
  const p = (values: readonly number[]) => ({
    times: values.length,
    p50: quantile(values, 0.5),
    p95: quantile(values, 0.95),
    longest: quantile(values, 1),
  })
  const { takeoversMs, outlivedMs, ...rest } = total
  const spreads = { connection: p(takeoversMs.connection), lease: p(takeoversMs.lease), outlived: p(outlivedMs) }
  console.log(JSON.stringify({ runs: all.length, ...rest, ...spreads, findings, broken }))
} else if (runs > 1) {
  console.log(`\n${all.length} runs, seeds ${seed} to ${seed + all.length + broken.length - 1}, mode ${mode}`)
  for (const line of linesOf(total)) console.log(line)
  for (const { seed: of, finding } of findings) console.log(`finding: seed ${of}: ${finding}`)
  for (const { seed: of } of broken) console.log(`no verdict: seed ${of}`)
  console.log(`${findings.length} findings`)
} else for (const line of linesOf(total)) console.log(`  ${line}`)
if (findings.length > 0 || broken.length > 0) process.exitCode = 1

function readDefect(name: string): Defect {
  const defect = defects.find((one) => one.name.startsWith(name))
  if (defect === undefined)
    throw new InvalidArgumentError(`There is no such defect. There are: ${defects.map((one) => one.name).join('; ')}`)
  return defect
}

function readFaults(text: string): readonly FaultKind[] {
  if (text === 'none') return []
  return text.split(',').map((name) => {
    const kind = allFaults.find((fault) => fault === name.trim())
    if (kind === undefined) throw new InvalidArgumentError(`There is no fault "${name.trim()}".`)
    return kind
  })
}
