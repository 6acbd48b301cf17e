// A database in which verbs meet: failpoints inside them, a clock that stands still, the scenes.

import { observationSupport } from '../property/observation.ts'
import { resetSupport } from '../property/reset.ts'
import { Stage } from '../property/stage.ts'
import { failpointSupport, failpointsOf, type Verb, verbsQuery, withFailpoints } from '../support/failpoints.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'
import { drainSupport } from './drain.ts'
import { sceneSteps } from './scene-copies.ts'
import { type Subjects, subjectQuery, subjectsOf } from './subjects.ts'

export interface PairStage {
  readonly test: TestDatabase
  readonly stage: Stage
  readonly subjects: Subjects
}

/** Unlike the property test's, its verbs ring: a bell is an insert of its own. */
export async function openPairStage({ failpoints }: { readonly failpoints: boolean }): Promise<PairStage> {
  const test = await createTestDatabase({ poolSize: 1, violations: 'expected' })
  const { database } = test
  // That role makes a session plan every statement of every verb anew: 30 ms a scene. Here the trigger goes instead.
  const reset = resetSupport.replace('set session_replication_role = replica', '')
  await database.query('drop trigger job_queue_log_is_append_only on interlock.job_queue_log')
  for (const text of [failpointSupport, observationSupport, reset, drainSupport, ...sceneSteps()])
    await database.query(text)
  const verbs = failpoints ? await database.query<Verb>(verbsQuery) : []
  for (const verb of verbs) await database.query(withFailpoints(verb).definition)
  // A deadlock is a failure, and is found soon.
  await database.query(
    `do $$ begin execute format('alter database %I set deadlock_timeout = %L', current_database(), '50ms'); end $$`,
  )
  const [row] = await database.query<{ job: string; lock: string }>(subjectQuery)
  if (row === undefined) throw new Error('there are no lanes')
  return { test, subjects: subjectsOf(row), stage: await Stage.open(test.url, 2, failpointsOf(verbs)) }
}
