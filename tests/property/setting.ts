// What a seed decides before a history begins.

import { Random } from './random.ts'

export interface AgentSetting {
  readonly name: string
  readonly queues: readonly string[]
  readonly levels: readonly string[]
  readonly slots: number
}

export interface Setting {
  readonly seed: number
  readonly steps: number
  readonly keys: readonly string[]
  /** How many of them a job needs at most: where few lanes are possible, more happens in each. */
  readonly keysOfAJob: number
  readonly tasks: readonly string[]
  readonly queues: readonly string[]
  readonly levels: readonly string[]
  readonly scheduling: 'fair' | 'fifo'
  readonly patienceSeconds: number
  /** Whether capacities differ from one, and change. */
  readonly isCounted: boolean
  /** Limits that are there from the start. */
  readonly limits: readonly { readonly pattern: string; readonly capacity: number | null }[]
  /** Whether the tick runs: the rules must not need it, but to reserve and to notice absent agents. */
  readonly hasTicks: boolean
  readonly agents: readonly AgentSetting[]
  /** How often a verb is armed to be interrupted inside. */
  readonly pauses: number
  readonly crashes: number
  /** A verb that is called and interrupted more often than the others. */
  readonly focus: string | null
}

const focusable = [
  'absorb_touches',
  'absorb_touches',
  'claim_jobs',
  'claim_jobs',
  'claim_lane',
  'complete_jobs',
  'set_limit',
  'end_agent',
  'collect_idle',
  'cancel_job',
]

const allKeys = ['user:a', 'user:b', 'user:c', 'model:x', 'model:y', 'tool:z', 'disk:d', 'model:w']
export const priorityStepSeconds = 20

export function settingOf(seed: number, { pauses = true }: { readonly pauses?: boolean } = {}): Setting {
  const random = Random.for(seed, -1)
  const queues = ['default', 'low', 'high'].slice(0, random.whole(1, 3))
  const levels = random.chance(0.25) ? ['autonomous', 'supervised'] : ['autonomous']
  const isCounted = random.chance(0.5)
  const isTight = random.chance(0.15)
  const slots = () => (isTight ? random.whole(1, 3) : 1000)
  const agents: AgentSetting[] = [{ name: 'all', queues, levels, slots: slots() }]
  for (let n = random.whole(1, 3); n > 0; n--) {
    agents.push({
      name: `some${n}`,
      queues: nonEmpty(random.some(queues, 0.5), queues),
      levels: nonEmpty(random.some(levels, 0.5), levels),
      slots: slots(),
    })
  }
  const keys = allKeys.slice(0, random.whole(2, allKeys.length))
  return {
    seed,
    steps: random.whole(100, 200),
    keys,
    keysOfAJob: random.whole(1, 4),
    tasks: random.chance(0.3) ? ['build', 'test'] : ['build'],
    queues,
    levels,
    scheduling: random.chance(0.6) ? 'fair' : 'fifo',
    patienceSeconds: [0, 5, 50, Number.POSITIVE_INFINITY][Math.abs(seed) % 4] ?? 0,
    isCounted,
    limits: [
      ...(isCounted ? keys.map((pattern) => ({ pattern, capacity: random.whole(1, 3) })) : []),
      ...(random.chance(0.2) ? [{ pattern: 'limit:all', capacity: random.whole(1, 4) }] : []),
      ...(random.chance(0.15) ? [{ pattern: 'user:*', capacity: null }] : []),
    ],
    hasTicks: Math.abs(seed) % 5 !== 0,
    agents,
    pauses: pauses ? (random.pick([0, 0.2, 0.4, 0.6]) ?? 0) : 0,
    crashes: pauses ? (random.pick([0, 0, 0.05]) ?? 0) : 0,
    focus: pauses && random.chance(0.6) ? (random.pick(focusable) ?? null) : null,
  }
}

function nonEmpty<Item>(some: readonly Item[], all: readonly Item[]): readonly Item[] {
  return some.length === 0 ? all.slice(0, 1) : some
}
