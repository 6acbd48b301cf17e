// Makes a test's database one for histories: a clock that the driver moves, a reset, failpoints inside the verbs.

import type { Queryable } from '../../src/store/queryable.ts'
import { failpointSupport, failpointsOf, type Verb, verbsQuery, withFailpoints } from '../support/failpoints.ts'
import { type Mutation, mutated, mutationSupport } from './mutations.ts'
import { observationSupport } from './observation.ts'
import { resetSupport } from './reset.ts'

// They only look or count, or run outside of histories: a pause in them would interleave nothing.
const withoutFailpoints =
  /^(explain|queue_|prune_|ensure_|append_output|report_progress|list_|check_isolation|ring$|refuse_|heads_wanted$|decide_lanes$)/

export interface Preparation {
  /** Without: the verbs as they are. */
  readonly failpoints?: boolean
  readonly mutation?: Mutation
}

/** Returns the failpoints that a call of each verb may come to. */
export async function prepare(
  database: Queryable,
  { failpoints = true, mutation }: Preparation = {},
): Promise<ReadonlyMap<string, readonly string[]>> {
  // Bells are the business of who claims; without the worker's schema the verbs ring none, and are faster.
  await database.query('drop schema if exists graphile_worker cascade')
  await database.query(failpointSupport)
  await database.query(observationSupport)
  await database.query(resetSupport)
  await database.query(mutationSupport)
  const verbs = await database.query<Verb>(verbsQuery)
  const changed = mutation === undefined ? verbs : mutated(verbs, mutation)
  for (const [n, verb] of changed.entries()) {
    if (failpoints && !withoutFailpoints.test(verb.name)) await database.query(withFailpoints(verb).definition)
    else if (verb.definition !== verbs[n]?.definition) await database.query(verb.definition)
  }
  // A deadlock is a failure, and is found soon.
  await database.query(
    `do $$ begin execute format('alter database %I set deadlock_timeout = %L', current_database(), '50ms'); end $$`,
  )
  return failpointsOf(failpoints ? changed.filter(({ name }) => !withoutFailpoints.test(name)) : [])
}
