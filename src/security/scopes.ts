/** What a key may be made for, from the least to the most. SQL knows the words (api_keys_scopes_are_known), not their meaning. */
export const scopes = ['read', 'enqueue', 'work', 'operate', 'admin'] as const
export type Scope = (typeof scopes)[number]

/**
 * What each scope includes beside itself, said here alone. `enqueue` and `work` do not include `read`: an application's
 * key that leaks shows nobody the jobs of the others, and a worker sees what it was given. `operate` does not include
 * `work`: an operator stops a job, and cannot pretend to be its holder.
 *
 *     read     look at jobs, queues, locks, agents, questions, history, events
 *     enqueue  add jobs, run workflows
 *     work     be an agent: register, claim, report, ask
 *     operate  change what others do: cancel, requeue, approve, answer, locks, queues, resources, schedules
 *     admin    keys and the audit
 */
const included: Readonly<Record<Scope, readonly Scope[]>> = {
  read: [],
  enqueue: [],
  work: [],
  operate: ['read', 'enqueue'],
  admin: ['read', 'enqueue', 'work', 'operate'],
}

/** Whether a key with these scopes may do what needs that one. */
export function allows(held: readonly Scope[], needed: Scope): boolean {
  return held.some((scope) => scope === needed || included[scope].includes(needed))
}
