import { Command, InvalidArgumentError, Option } from 'commander'
import type { Sizes } from './bench.ts'

export const scenarioNames = [
  'keyed',
  'blocked',
  'lanes',
  'gangs',
  'contention',
  'serial',
  'latency',
  'enqueue',
  'soak',
  'status',
  'drain',
] as const

export type ScenarioName = (typeof scenarioNames)[number]

export interface Options {
  readonly only: readonly ScenarioName[]
  readonly json: boolean
  readonly out: string | null
  readonly sizes: Sizes
}

const full: Omit<Sizes, 'seed'> = {
  rounds: 5,
  jobs: 20_000,
  users: 10_000,
  models: 1000,
  claimers: 4,
  batches: [1, 10, 50],
  peerBatches: 'each',
  blocked: [0, 1000, 100_000, 1_000_000],
  lanes: [1000, 10_000, 100_000, 1_000_000],
  gangs: [1, 2, 4, 8],
  deadlineSeconds: 10,
  latencySeconds: 30,
  soakMinutes: 10,
  status: [100_000, 1_000_000],
}

/** For a look, in less than five minutes; what takes long to fill is left out. */
const quick: Partial<Sizes> = {
  jobs: 2000,
  peerBatches: 'best',
  blocked: [0, 1000, 100_000],
  lanes: [1000, 50_000],
  deadlineSeconds: 1.5,
  latencySeconds: 5,
  soakMinutes: 0.4,
  status: [10_000, 50_000],
}

const examples = `Examples:
  npm run bench -- --quick                               a look at everything, in less than five minutes
  npm run bench -- --only keyed,blocked                  two scenarios, at full size
  npm run bench -- --only blocked --blocked 0,10000000   ten million in front
  npm run bench -- --only soak --soak-minutes 60 --out soak.json
  npm run bench -- --only drain --rounds 9 --seed 7 --json

`

export function parseOptions(argv: readonly string[]): Options {
  const program = new Command('npm run bench --')
    .description(
      'Measures Interlock beside its peers and the floor, on a durable Postgres of its own, all in one run. Ctrl-C prints what was measured so far.',
    )
    .addHelpText('before', examples)
    .addOption(new Option('--only <names>', `of ${scenarioNames.join(', ')}`).argParser(scenariosIn))
    .option('--quick', 'smaller sizes: everything in less than five minutes')
    .option('--json', 'machine-readable, on stdout')
    .option('--out <file>', 'writes the JSON there as well')
    .option('--rounds <n>', 'of each; the median counts (5)', atLeast(1))
    .option('--seed <n>', 'brings the same jobs back', Number)
    .option('--jobs <n>', 'a round (20000; quick: 2000)', atLeast(1))
    .option('--users <n>', '(10000)', atLeast(1))
    .option('--models <n>', '(1000)', atLeast(1))
    .option('--claimers <n>', 'of Interlock and of the floor (4)', atLeast(1))
    .option('--batches <list>', 'jobs a claim (1,10,50); other scenarios take the largest', numbersIn)
    .option('--blocked <list>', 'jobs in front (0,1000,100000,1000000; quick: 0,1000,100000)', numbersIn)
    .option('--lanes <list>', 'users (1000,10000,100000,1000000; quick: 1000,50000)', numbersIn)
    .option('--gangs <list>', 'resources a job (1,2,4,8)', numbersIn)
    .option('--deadline <seconds>', 'no round takes longer (10; quick: 1.5)', atLeast(0.1))
    .option('--latency-seconds <n>', 'of the open loop (30; quick: 5)', atLeast(0.1))
    .option('--soak-minutes <n>', 'a snapshot is held in their middle third (10; quick: 0.4)', atLeast(0.01))
    .option('--status <list>', 'jobs that wait, and finished ones (100000,1000000; quick: 10000,50000)', numbersIn)
    .parse([...argv], { from: 'user' })
  const given = program.opts<{ only?: readonly ScenarioName[]; json?: true; quick?: true; out?: string } & Given>()
  const { only = scenarioNames, json = false, out = null, deadline, quick: isQuick, ...sizes } = given
  return {
    only,
    json,
    out,
    sizes: {
      seed: Math.floor(Math.random() * 1e6),
      ...full,
      ...(isQuick === true && quick),
      ...sizes,
      ...(deadline !== undefined && { deadlineSeconds: deadline }),
    },
  }
}

type Given = Partial<Omit<Sizes, 'deadlineSeconds'>> & { readonly deadline?: number }

function scenariosIn(text: string): readonly ScenarioName[] {
  return text.split(',').map((name) => {
    const found = scenarioNames.find((known) => known === name.trim())
    if (found === undefined) throw new InvalidArgumentError(`'${name}' is none of ${scenarioNames.join(', ')}.`)
    return found
  })
}

function atLeast(smallest: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!(value >= smallest)) throw new InvalidArgumentError(`It has to be a number from ${smallest}.`)
    return value
  }
}

function numbersIn(text: string): readonly number[] {
  return text.split(',').map(atLeast(0))
}
