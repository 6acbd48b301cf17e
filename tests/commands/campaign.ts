// Many runs, in batches of a seed each, in as many databases at a time as the machine has use for.

import fc from 'fast-check'
import type { Database } from '../../src/store/database.ts'
import { Violated } from '../property/checks.ts'
import { type Preparation, prepare } from '../property/database.ts'
import { recover } from '../property/recover.ts'
import { Stage } from '../property/stage.ts'
import { commandsOf } from './commands.ts'
import { drain } from './drain.ts'
import type { Run } from './run.ts'
import { type Beginning, begin, beginnings } from './setting.ts'

// What a transaction that is left open stops, and somebody who goes on all the same.
const sessions = 4
const maxCommands = 300
const runsOfABatch = 10

export interface OpenedDatabase {
  readonly url: string
  readonly database: Database
  drop(): Promise<void>
}

export interface Campaign extends Pick<Preparation, 'mutation'> {
  readonly open: () => Promise<OpenedDatabase>
  /** The first batch has this seed, the next ones those that follow. */
  readonly seed: number
  readonly commands: number
  /** Of the first batch: what fast-check said, to begin where it had shrunk to. */
  readonly path?: string | undefined
  readonly replayPath?: string | undefined
  /** 1 unless set. */
  readonly databases?: number
  /** Not to look for a shorter run that fails too. */
  readonly shrinks?: boolean
  readonly onProgress?: (commands: number, runs: number) => void
}

export interface Result {
  readonly commands: number
  readonly runs: number
  /** Answers by verb: `cancel_job IL003`. */
  readonly tally: ReadonlyMap<string, number>
  /** What was violated, and how to see it again; null: nothing was. */
  readonly failure: { readonly check: string; readonly report: string } | null
}

/** Runs batches until so many commands were run, or one has failed. */
export async function runCampaign(campaign: Campaign): Promise<Result> {
  const tally = new Map<string, number>()
  let nextSeed = campaign.seed
  let commands = 0
  let runs = 0
  let failure: Result['failure'] = null
  const work = async () => {
    const opened = await campaign.open()
    const failpoints = await prepare(opened.database, { ...campaign, failpoints: false })
    const stage = await Stage.open(opened.url, sessions, failpoints)
    const onRun = (run: Run) => {
      commands += run.commands
      runs++
      for (const [answer, times] of run.tally) tally.set(answer, (tally.get(answer) ?? 0) + times)
      campaign.onProgress?.(commands, runs)
    }
    try {
      while (failure === null && commands < campaign.commands) {
        const seed = nextSeed++
        failure ??= await runBatch(
          stage,
          seed,
          seed === campaign.seed ? campaign : { ...campaign, path: undefined },
          onRun,
        )
        // What was deleted makes every lookup slower until it is swept; autovacuum comes once a minute.
        await stage.look('vacuum')
      }
    } finally {
      await stage.close()
      await opened.drop()
    }
  }
  await Promise.all(Array.from({ length: campaign.databases ?? 1 }, work))
  return { commands, runs, tally, failure }
}

type Steps = Iterable<fc.AsyncCommand<Run, Run>>

async function runBatch(
  stage: Stage,
  seed: number,
  { path, replayPath, shrinks = true }: Campaign,
  onRun: (run: Run) => void,
): Promise<Result['failure']> {
  // Of the run that failed last, which is the shortest: a command says what it did when it was last run.
  let played: readonly string[] = []
  let transcript: readonly string[] = []
  const play = async (beginning: Beginning, steps: Steps) => {
    if (!stage.isQuiet) await recover(stage)
    const run = await begin(stage, beginning)
    try {
      await fc.asyncModelRun(() => ({ model: run, real: run }), steps)
      await drain(run)
    } catch (error) {
      played = String(steps).split(/,(?=s\d |the clock|\/\*)/)
      transcript = [...stage.transcript]
      throw error
    }
    onRun(run)
  }
  const details = await fc.check(
    fc.asyncProperty(beginnings, commandsOf(maxCommands, path === undefined ? undefined : replayPath), play),
    {
      seed,
      numRuns: runsOfABatch,
      endOnFailure: !shrinks,
      interruptAfterTimeLimit: 60_000,
      ...(path === undefined ? {} : { path }),
    },
  )
  if (!stage.isQuiet) await recover(stage)
  if (!details.failed || details.counterexample === null) return null
  const { errorInstance, counterexample, counterexamplePath, numShrinks } = details
  const [beginning] = counterexample
  return {
    check: errorInstance instanceof Violated ? errorInstance.check : String(errorInstance),
    report: [
      `seed ${seed}, path ${counterexamplePath}, shrunk ${numShrinks} times: ${errorInstance instanceof Error ? errorInstance.message : errorInstance}`,
      ...(errorInstance instanceof Violated ? [] : [errorInstance instanceof Error ? errorInstance.stack : '']),
      `again: INTERLOCK_SEED=${seed} npx vitest run tests/commands`,
      `from ${JSON.stringify(beginning)}:`,
      ...played.map((command) => `  ${command}`),
      'what happened:',
      ...transcript,
    ].join('\n'),
  }
}
