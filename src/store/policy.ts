import type { AgentPolicy } from '../domain/agent-policy.ts'
import type { AlarmPolicy } from '../domain/alarm.ts'
import { setAlarmPolicy } from './alarms.ts'
import type { Queryable } from './queryable.ts'

/** What a configuration says about queues and limits; what it does not name stays as it is in the database. */
export interface Policy {
  /** By queue, columns of interlock.queues. */
  readonly queues: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** By scope, all or task:NAME; null: any number. */
  readonly backlog?: Readonly<
    Record<string, { readonly maxUnfinished: number | null; readonly whenFull: 'refuse' | 'drop_oldest' }>
  >
  /** By resource or pattern: a capacity, null for unlimited, or `default` for no row of its own. */
  readonly limits: Readonly<Record<string, number | null | 'default'>>
  /** How the load of agents is judged. */
  readonly agents?: Readonly<Partial<AgentPolicy>>
  /** What is alarming. */
  readonly alarms?: Readonly<Partial<AlarmPolicy>>
}

interface LimitRow {
  readonly pattern: string
  readonly capacity: number | null
  readonly is_paused: boolean
}

/** What set_queue() stores for `strict`: longer than any wait. */
const strictStepSeconds = 1e9

/**
 * Makes the rows say what the policy says, by the verbs, and tells what it changed. Only what differs is set: a verb
 * that changes nothing would still take the limits' lock, which every claim waits for, at each start of each process.
 */
export async function applyPolicy(queryable: Queryable, policy: Policy, actor: string): Promise<readonly string[]> {
  const changed: string[] = []
  for (const [name, settings] of Object.entries(policy.queues)) {
    if (await setQueue(queryable, name, settings, actor)) changed.push(`queue ${name}`)
  }
  if (await setAgentPolicy(queryable, policy.agents ?? {}, actor)) changed.push('the load of agents')
  if (await setAlarmPolicy(queryable, policy.alarms ?? {}, actor)) changed.push('alarms')
  const rows = await queryable.query<LimitRow>(
    'select l.pattern, l.capacity, l.is_paused from interlock.resource_limits as l where l.pattern = any ($1)',
    [Object.keys(policy.limits)],
  )
  for (const [pattern, capacity] of Object.entries(policy.limits)) {
    const row = rows.find((candidate) => candidate.pattern === pattern)
    if (await setLimit(queryable, pattern, capacity, row, actor)) changed.push(`limit ${pattern}`)
  }
  for (const [scope, { maxUnfinished, whenFull }] of Object.entries(policy.backlog ?? {})) {
    // Setting a limit counts every job that there is: not at each start.
    const [differs] = await queryable.query(
      `select
       where (select b.max_unfinished from interlock.backlog_limits as b where b.scope = $1) is distinct from $2::integer
         or (select b.when_full from interlock.backlog_limits as b where b.scope = $1) <> $3`,
      [scope, maxUnfinished, whenFull],
    )
    if (differs === undefined) continue
    await queryable.query('select interlock.set_backlog_limit($1, $2, $3, $4)', [scope, maxUnfinished, whenFull, actor])
    changed.push(`backlog limit ${scope}`)
  }
  return changed
}

async function setQueue(
  queryable: Queryable,
  name: string,
  settings: Readonly<Record<string, unknown>>,
  actor: string,
): Promise<boolean> {
  // As the rows have them, or each start would find a difference.
  const json = JSON.stringify(settings, (key, value: unknown) => {
    if (value === Number.POSITIVE_INFINITY) return 'Infinity'
    if (key === 'max_unfinished' && value === 'unlimited') return null
    return key === 'priority_step_seconds' && value === 'strict' ? strictStepSeconds : value
  })
  // Compared key by key: containment would find [60] inside [60, 180, 600].
  const [same] = await queryable.query(
    `select
     from interlock.queues as q
     where q.name = $1
       and not exists (
         select
         from jsonb_each($2::jsonb) as s (key, value)
         where coalesce(to_jsonb(q) -> s.key, 'null') is distinct from
           -- Waits have two spellings, and the row has one.
           case when s.key = 'retry_delays_seconds' then to_jsonb(interlock.retry_delays(s.value)) else s.value end
       )`,
    [name, json],
  )
  if (same !== undefined) return false
  await queryable.query('select interlock.set_queue(p_name => $1, p_settings => $2::jsonb, p_actor => $3)', [
    name,
    json,
    actor,
  ])
  return true
}

async function setLimit(
  queryable: Queryable,
  pattern: string,
  capacity: number | null | 'default',
  row: LimitRow | undefined,
  actor: string,
): Promise<boolean> {
  if (capacity === 'default') {
    if (row === undefined) return false
    await queryable.query('select interlock.remove_limit(p_pattern => $1, p_actor => $2)', [pattern, actor])
    return true
  }
  if (row !== undefined && row.capacity === capacity) return false
  // Somebody who paused a resource did so at run time; a capacity in a file does not resume it.
  await queryable.query(
    'select interlock.set_limit(p_pattern => $1, p_capacity => $2, p_paused => $3, p_actor => $4)',
    [pattern, capacity, row?.is_paused ?? false, actor],
  )
  return true
}

export async function readAgentPolicy(queryable: Queryable): Promise<AgentPolicy> {
  const [row] = await queryable.query<AgentPolicy>(
    `select p.cpu_weight, p.memory_weight, p.queue_weight, p.moderate_from, p.high_from, p.critical_from, p.max_utilisation
     from interlock.agent_policy as p`,
  )
  if (row === undefined) throw new TypeError('interlock.agent_policy has no row')
  return row
}

async function setAgentPolicy(queryable: Queryable, wanted: Partial<AgentPolicy>, actor: string): Promise<boolean> {
  const keys = Object.keys(wanted) as (keyof AgentPolicy)[]
  if (keys.length === 0) return false
  const present = await readAgentPolicy(queryable)
  if (keys.every((key) => present[key] === wanted[key])) return false
  await queryable.query('select interlock.set_agent_policy($1, $2)', [JSON.stringify(wanted), actor])
  return true
}
