// Many histories, in as many databases at a time as the machine has use for.

import { createTestDatabase } from '../support/test-database.ts'
import { Violated } from './checks.ts'
import { type Preparation, prepare } from './database.ts'
import { runHistory } from './history.ts'
import { recover } from './recover.ts'
import { settingOf } from './setting.ts'
import { shrink } from './shrink.ts'
import { Stage } from './stage.ts'

// Enough for two verbs that wait for a third, while a fourth goes on.
const sessions = 5

export interface Campaign extends Preparation {
  readonly seeds: readonly number[]
  /** How many histories run at a time, each in a database of its own; 1 unless set. */
  readonly databases?: number
  /** Stop after so many that failed; 1 unless set. */
  readonly failures?: number
  /** Seconds to spend on finding which steps matter; 30 unless set, 0: do not. */
  readonly shrinkSeconds?: number
  readonly onProgress?: (done: number, failed: number) => void
}

export interface Failure {
  readonly seed: number
  readonly check: string
  readonly report: string
}

export interface Result {
  readonly histories: number
  readonly starts: number
  /** How often a verb was paused inside, by failpoint. */
  readonly pauses: ReadonlyMap<string, number>
  readonly failures: readonly Failure[]
}

export async function runCampaign(campaign: Campaign): Promise<Result> {
  const { seeds, databases = 1, failures: enough = 1 } = campaign
  const left = [...seeds]
  const pauses = new Map<string, number>()
  const failures: Failure[] = []
  let histories = 0
  let starts = 0
  const work = async () => {
    const database = await createTestDatabase({ poolSize: 1, violations: 'expected' })
    const failpoints = await prepare(database.database, campaign)
    const stage = await Stage.open(database.url, sessions, failpoints)
    try {
      for (let seed = left.shift(); seed !== undefined && failures.length < enough; seed = left.shift()) {
        try {
          const outcome = await runHistory(stage, settingOf(seed, { pauses: campaign.failpoints !== false }))
          starts += outcome.starts
          for (const [failpoint, times] of outcome.pauses) pauses.set(failpoint, (pauses.get(failpoint) ?? 0) + times)
        } catch (error) {
          if (!(error instanceof Violated)) throw new Error(`history ${seed} broke off`, { cause: error })
          failures.push(await explain(stage, seed, error, campaign))
        }
        histories++
        campaign.onProgress?.(histories, failures.length)
      }
    } finally {
      await stage.close()
      await database.drop()
    }
  }
  await Promise.all(Array.from({ length: databases }, work))
  return { histories, starts, pauses, failures }
}

async function explain(stage: Stage, seed: number, error: Violated, campaign: Campaign): Promise<Failure> {
  const { shrinkSeconds = 30, failpoints = true } = campaign
  const setting = settingOf(seed, { pauses: failpoints })
  const whole = [...stage.transcript]
  await recover(stage)
  const shrunk = shrinkSeconds > 0 ? await shrink(stage, setting, error, shrinkSeconds) : null
  const report = [
    `seed ${seed}, step ${error.step} of ${setting.steps}: ${error.message}`,
    JSON.stringify(setting),
    ...(shrunk === null
      ? ['the steps that led there (when replayed it does not fail, or was not asked to):', ...whole.slice(-60)]
      : [`with only ${shrunk.steps} steps: ${shrunk.message}`, ...shrunk.transcript]),
  ].join('\n')
  return { seed, check: error.check, report }
}
