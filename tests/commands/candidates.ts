// What a command can choose from, by what the model knows when its turn has come.

import { queueNames } from './agent-rules.ts'
import type { NewJob } from './job-rules.ts'
import { type Claim, isLock, type ModelJob } from './model.ts'
import type { VerbCall } from './rule.ts'
import type { Run } from './run.ts'

export interface Draw {
  readonly session: number
  /** Whether it begins a transaction that is left open. */
  readonly opens: boolean
  readonly picks: readonly number[]
}

export interface Choice {
  readonly weight: number
  /** Not in a transaction that is left open: nobody could do anything meanwhile, or two would be in an order of their own. */
  readonly staysShort?: true
  readonly choose: Choose
}

/** Null: there is nothing to choose. */
export type Choose = (run: Readonly<Run>, draw: Draw) => VerbCall | null

const users = ['a', 'b', 'c', 'd']
export const things = ['model:x', 'model:y', 'tool:z']
export const patterns = [
  'user:*',
  'model:*',
  'limit:all',
  'queue:default',
  'task:build',
  'task:lock',
  'user:a',
  ...things,
]

export function pick<Item>(items: readonly Item[], n: number | undefined): Item | undefined {
  return items[(n ?? 0) % Math.max(items.length, 1)]
}

export const jobsThatAre = (run: Readonly<Run>, ...statuses: readonly string[]): ModelJob[] =>
  [...run.model.jobs.values()].filter(({ status }) => statuses.includes(status))
export const claimOf = ({ id, token }: ModelJob): Claim => ({ job: id, token: token ?? 0 })
/** Those of processes; now and then of manual locks too, which these verbs are not for. */
const currentClaims = ({ model }: Readonly<Run>, { picks }: Draw): Claim[] =>
  model
    .held()
    .filter((job) => !isLock(job) || (picks[5] ?? 0) % 8 === 0)
    .map(claimOf)
export const agentIds = (run: Readonly<Run>): string[] =>
  [...run.model.agents.values()].filter(({ state }) => state !== 'gone').map(({ id }) => id)

/** Mostly one that the verb is for, now and then any other, one that has ended, or one that never was. */
export function someJob(
  run: Readonly<Run>,
  { picks: [n, dice, , , , other] }: Draw,
  ...statuses: readonly string[]
): string | undefined {
  const any = [...run.model.jobs.keys(), ...run.model.ended.keys(), 'nobody']
  return (dice ?? 0) % 10 === 0
    ? pick(any, n)
    : pick(
        jobsThatAre(run, ...statuses).filter((job) => !isLock(job) || (other ?? 0) % 4 === 0),
        n,
      )?.id
}

export function ofJob(call: (id: string, draw: Draw) => VerbCall, ...statuses: readonly string[]): Choose {
  return (run, draw) => {
    const id = someJob(run, draw, ...statuses)
    return id === undefined ? null : call(id, draw)
  }
}

export function ofAgent(call: (id: string, draw: Draw) => VerbCall): Choose {
  return (run, draw) => {
    const id = pick([...agentIds(run), ...agentIds(run), 'nobody.0'], draw.picks[0])
    return id === undefined ? null : call(id, draw)
  }
}

/** Some of the claims that are current, one of them perhaps twice, perhaps beside one that has lapsed. */
export function someClaims(run: Readonly<Run>, draw: Draw): Claim[] {
  const [n = 0, dice = 0, late] = draw.picks
  const current = currentClaims(run, draw)
  const first = pick(current, n)
  const some = dice % 3 === 0 ? current.filter((_, i) => ((n >> i) & 1) === 0) : first === undefined ? [] : [first]
  const lapsed = dice % 7 === 0 ? pick(run.model.lapsed(), late) : undefined
  return [
    ...some,
    ...(lapsed === undefined ? [] : [lapsed]),
    ...(dice % 29 === 0 && first !== undefined ? [first] : []),
  ]
}

export function ofClaims(call: (claims: readonly Claim[]) => VerbCall): Choose {
  return (run, draw) => {
    const claims = someClaims(run, draw)
    return claims.length === 0 ? null : call(claims)
  }
}

export function ofClaim(call: (claim: Claim, draw: Draw) => VerbCall): Choose {
  return (run, draw) => {
    const claim = pick(currentClaims(run, draw), draw.picks[0])
    return claim === undefined ? null : call(claim, draw)
  }
}

export const wrongs = [
  { field: 'priority', value: 9, state: 'IL005' },
  { field: 'queue', value: 'nowhere', state: 'IL012' },
  { field: 'resources', value: ['no kind'], state: 'IL005' },
  { field: 'resources', value: ['model:x', 'rate:model:x'], state: 'IL005' },
  { field: 'queue', value: 'locks', state: 'IL011' },
  { field: 'wish', value: true, state: 'IL005' },
  { field: 'payload', value: 'text', state: 'IL005' },
]

export function newJob(run: Readonly<Run>, id: string, seed: number): NewJob {
  const user = pick(users, seed)
  const kinds = things.filter((_, n) => ((seed >> (n + 2)) & 3) === 0)
  return {
    id,
    task: pick(run.setting.tasks, seed >> 3) ?? 'build',
    queue: pick(queueNames, seed % 5 === 0 ? 1 : 0) ?? 'default',
    ...(seed % 4 === 3 || user === undefined ? {} : { user }),
    resources: kinds,
    priority: seed % 4,
    level: seed % 11 === 0 ? 'supervised' : 'autonomous',
    maxAttempts: 1 + (seed % 3),
    ttlSeconds: seed % 13 === 0 ? 40 : 0,
    ...(seed % 17 === 0 ? { delaySeconds: seed % 9 } : {}),
    ...(seed % 23 === 0 ? { start: false as const } : {}),
  }
}

export function newJobs(run: Readonly<Run>, { picks: [n = 0, many = 0, ...seeds] }: Draw): NewJob[] {
  const count = many % 3 === 0 ? 1 + (n % 4) : 1
  return Array.from({ length: count }, (_, i) => newJob(run, `j${run.jobsEnqueued + i}`, (seeds[i] ?? 0) + 7 * i))
}
