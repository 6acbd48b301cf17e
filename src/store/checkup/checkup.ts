import { type CheckResult, type Finding, problem } from '../../domain/finding.ts'
import type { Database } from '../database.ts'
import { checkClocks } from './clocks.ts'
import { checkPooler } from './pooler.ts'
import { checkInbox, checkReturning, checkStuckJobs, checkViolations } from './queue-states.ts'
import { checkSchemaDrift } from './schema-drift.ts'
import { checkServerSettings } from './server-settings.ts'
import { checkBloat, checkOldSnapshots } from './sessions.ts'

type Check = (database: Database) => Promise<readonly Finding[]>

const ofTheServer: Readonly<Record<string, Check>> = {
  settings: checkServerSettings,
  pooler: checkPooler,
  clocks: checkClocks,
  bloat: checkBloat,
  schema: checkSchemaDrift,
}

/** These read our own tables. */
const ofTheQueue: Readonly<Record<string, Check>> = {
  'old snapshots': (database) => checkOldSnapshots(database),
  violations: checkViolations,
  'stuck jobs': checkStuckJobs,
  inbox: checkInbox,
  returning: checkReturning,
}

/** Looks at everything, one after the other, and changes nothing. A check that cannot be made is a finding itself. */
export async function checkUp(database: Database): Promise<readonly CheckResult[]> {
  const [schema] = await database.query<{ is_there: boolean }>(
    `select to_regclass('interlock.violations') is not null as is_there`,
  )
  const checks = { ...ofTheServer, ...(schema?.is_there === true ? ofTheQueue : {}) }
  const results: CheckResult[] = []
  for (const [check, look] of Object.entries(checks)) {
    const findings = await look(database).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error)
      return [problem(`this could not be looked at: ${why}`, 'see the other findings first')]
    })
    results.push({ check, findings })
  }
  return results
}

/** A number that was raised: of grants (tokens and fences), of jobs, of incarnations. */
export interface Raised {
  readonly name: string
  readonly was: number
  readonly is_now: number
}

/** After a restore, or the promotion of a standby that lagged: raises what must never fall, before agents are let at it. */
export async function raiseAfterRestore(database: Database, above: number, actor: string): Promise<readonly Raised[]> {
  return database.query<Raised>('select name, was, is_now from interlock.raise_after_restore($1, $2)', [above, actor])
}
