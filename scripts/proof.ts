// `node scripts/proof.ts`: has Spin look at every interleaving of the scheduling core's statements (tests/proof/*.pml),
// and find each of its mutations. --help says what else.

import { Command } from 'commander'
import { configurations, mutations } from '../tests/proof/configurations.ts'
import { missingPrograms, type Verdict, verify } from '../tests/proof/run-spin.ts'

interface Options {
  readonly long: boolean
  readonly only: string
  readonly trail: boolean
}

const options = new Command('proof')
  .description(
    'Verifies the model of the scheduling core with Spin. Exit code 0: it holds, and each mutation was found.',
  )
  .option('--long', 'also the configurations that take minutes', false)
  .option('--only <words>', 'only those whose name has these words in it', '')
  .option('--trail', 'print each counterexample, statement by statement', false)
  .parse()
  .opts<Options>()

const interruption = new AbortController()
const { signal } = interruption
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.on(name, () => interruption.abort(new Error(`stopped by ${name}`)))

if (missingPrograms.length > 0) {
  console.error(`Needed and not installed: ${missingPrograms.join(', ')} (Debian: apt-get install spin gcc)`)
  process.exitCode = 2
} else {
  process.exitCode = (await prove()) ? 0 : 1
}

async function prove(): Promise<boolean> {
  const began = performance.now()
  let isOk = true
  const wanted = <Item extends { readonly name: string }>(items: readonly Item[]) =>
    items.filter(({ name }) => name.includes(options.only))
  printRow('configuration', 'states', 'depth', 'MB', 's', 'result')
  for (const { name, model, definitions, isLong } of wanted(configurations)) {
    if (isLong && !options.long) continue
    const verdict = await verify(definitions, { model, isLong, signal })
    isOk &&= verdict.result === 'holds'
    printVerdict(name, verdict, verdict.violation ?? verdict.result)
  }
  console.log('')
  printRow('mutation', 'states', 'depth', 'MB', 's', 'found by')
  for (const { name, model, definitions, violates } of wanted(mutations)) {
    const verdict = await verify(definitions, { model, signal })
    isOk &&= verdict.violation === violates
    printVerdict(name, verdict, verdict.violation ?? 'NOT FOUND')
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(0)
  console.log(
    `\n${isOk ? 'Everything held, and every mutation was found.' : 'SOMETHING IS NOT AS IT SHOULD BE.'} ${seconds} s`,
  )
  return isOk
}

function printVerdict(name: string, { states, depth, megabytes, seconds, trail }: Verdict, result: string): void {
  printRow(name, String(states), String(depth), megabytes.toFixed(0), seconds.toFixed(1), result)
  if (options.trail) for (const step of trail) console.log(`    ${step}`)
}

function printRow(
  name: string,
  states: string,
  depth: string,
  megabytes: string,
  seconds: string,
  result: string,
): void {
  const figures = [states.padStart(9), depth.padStart(6), megabytes.padStart(5), seconds.padStart(6)]
  console.log(`${name.padEnd(49)}${figures.join(' ')}  ${result}`)
}
