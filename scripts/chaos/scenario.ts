import { Random } from '../../tests/property/random.ts'

export interface ScenarioOptions {
  readonly seed: number
  /** For how long jobs come and faults happen; then all is healed and has to drain. */
  readonly seconds: number
  readonly jobs: number
  /** Which faults may happen; all unless set. */
  readonly faults?: readonly FaultKind[]
  /** How far apart faults begin, on the average; 1.2 unless set. */
  readonly everySeconds?: number
  /** `liveness` unless set. */
  readonly mode?: Mode
  /** Over what the seed draws. */
  readonly shape?: Partial<Shape>
}

/**
 * `safety`: faults until the end, and what must never be is judged. `liveness`: then all is healed, has to drain, and
 * nothing may be left.
 */
export type Mode = 'safety' | 'liveness'

/** What kind of work there is and who does it: different defects show in different crowds. */
export interface Shape {
  readonly users: number
  readonly models: number
  /** Which part of the jobs needs a model or two. */
  readonly modelShare: number
  /** Which part of those needs model:wide too, which has several slots. */
  readonly wideShare: number
  readonly wideCapacity: number
  /** Into how many routes the jobs go: by their priority into three, or all with the same. */
  readonly routes: 1 | 3
  readonly scheduling: 'fair' | 'fifo'
  /** Which part of the jobs runs until it is stopped. */
  readonly longShare: number
  readonly cancelShare: number
  /** After it was acknowledged. */
  readonly cancelWithinMs: number
  /** In which first part of the time all jobs come; the faults go on. */
  readonly arrivalShare: number
  /** Which part of the jobs is due at one and the same moment. */
  readonly dueShare: number
  readonly agents: number
  readonly coordinators: number
  readonly slots: number
  readonly patienceSeconds: number
  readonly liveness: 'connection' | 'lease'
}

/** A job as the generator sends it, and when. */
export interface PlannedJob {
  readonly atMs: number
  readonly id: string
  readonly request: Readonly<Record<string, unknown>>
  readonly door: 'http' | 'sql'
  /** Cancelled so long after it was acknowledged. */
  readonly cancelAfterMs: number | null
}

export interface PlannedFault {
  readonly atMs: number
  readonly kind: FaultKind
  /** Which of those that it may happen to: a number to be taken modulo how many there are. */
  readonly target: number
  /** How long it lasts, where it lasts. */
  readonly forMs: number
}

export interface Scenario {
  readonly seed: number
  readonly seconds: number
  readonly mode: Mode
  readonly shape: Shape
  readonly leaseSeconds: number
  readonly jobs: readonly PlannedJob[]
  readonly faults: readonly PlannedFault[]
}

/** How often each fault is drawn, beside the others, and for how many milliseconds it lasts at most. */
const faultKinds = {
  'kill agent': { weight: 6, longestMs: 0 },
  'kill every agent': { weight: 1, longestMs: 0 },
  'freeze agent': { weight: 4, longestMs: 9000 },
  'freeze agent and keeper': { weight: 2, longestMs: 9000 },
  'freeze agent and all its processes': { weight: 2, longestMs: 9000 },
  'kill keeper': { weight: 2, longestMs: 0 },
  'end agent': { weight: 2, longestMs: 0 },
  'kill coordinator': { weight: 4, longestMs: 0 },
  'freeze coordinator': { weight: 2, longestMs: 5000 },
  'end coordinator': { weight: 2, longestMs: 0 },
  'roll the coordinators': { weight: 1, longestMs: 0 },
  'cut line': { weight: 5, longestMs: 0 },
  'mute line': { weight: 3, longestMs: 6000 },
  'mute line one way': { weight: 3, longestMs: 6000 },
  'mute what listens': { weight: 2, longestMs: 0 },
  'slow line': { weight: 2, longestMs: 4000 },
  'dripping line': { weight: 1, longestMs: 3000 },
  'cut at the end of a transaction': { weight: 8, longestMs: 0 },
  'end every connection': { weight: 2, longestMs: 0 },
  'end every connection every second': { weight: 1, longestMs: 4000 },
  'end what listens': { weight: 2, longestMs: 0 },
  'kill a backend': { weight: 1, longestMs: 0 },
  'restart the server': { weight: 1, longestMs: 1500 },
  'cancel what runs in the database': { weight: 3, longestMs: 0 },
  'change a capacity': { weight: 2, longestMs: 0 },
  'pause a queue': { weight: 1, longestMs: 2000 },
} as const

export type FaultKind = keyof typeof faultKinds
export const allFaults = Object.keys(faultKinds) as readonly FaultKind[]

/** Everything that a run does by itself, from its seed alone. */
export function scenarioOf(options: ScenarioOptions): Scenario {
  const { seed, seconds, faults = allFaults, mode = 'liveness' } = options
  const setting = Random.for(seed, 0)
  const leaseSeconds = setting.whole(4, 6)
  const shape = { ...shapeOf(Random.for(seed, 3)), ...options.shape }
  return {
    seed,
    seconds,
    mode,
    shape,
    leaseSeconds,
    jobs: jobsOf(Random.for(seed, 1), shape, options),
    faults: faultsOf(Random.for(seed, 2), options, faults),
  }
}

function shapeOf(random: Random): Shape {
  return {
    users: random.whole(10, 60),
    models: random.whole(3, 10),
    modelShare: 0.1 + random.next() * 0.4,
    cancelShare: random.chance(0.3) ? 0.2 : 0.05,
    dueShare: random.chance(0.3) ? 0.4 : 0,
    agents: random.whole(2, 3),
    coordinators: random.whole(1, 2),
    slots: random.whole(3, 8),
    // Most jobs never wait five minutes here: in every other run who waits reserves.
    patienceSeconds: random.chance(0.5) ? 300 : random.whole(0, 2),
    liveness: random.chance(0.8) ? 'connection' : 'lease',
    arrivalShare: random.chance(0.7) ? 1 : 0.3,
    cancelWithinMs: random.chance(0.3) ? 50 : 4000,
    longShare: random.chance(0.3) ? 0.03 : 0.01,
    wideShare: 0.2,
    wideCapacity: random.whole(1, 3),
    routes: random.chance(0.7) ? 3 : 1,
    scheduling: random.chance(0.7) ? 'fair' : 'fifo',
  }
}

function jobsOf(random: Random, shape: Shape, { seed, seconds, jobs }: ScenarioOptions): PlannedJob[] {
  const dueMs = Math.floor((0.3 + random.next() * 0.5) * seconds * 1000)
  const planned = Array.from({ length: jobs }, (_, n): PlannedJob => {
    const task = random.weighed({ quick: 94, slow: 3, deaf: 1, fails: 2, long: 100 * shape.longShare })
    const atMs = Math.floor(random.next() * shape.arrivalShare * seconds * 1000)
    const isDueLater = random.chance(shape.dueShare) && atMs < dueMs - 500
    return {
      atMs,
      id: `c${seed}-${n}`,
      request: {
        id: `c${seed}-${n}`,
        task,
        ...(random.chance(0.9) && { user: `u${Math.floor(shape.users * random.next() ** 1.5)}` }),
        ...(random.chance(shape.modelShare) && { models: modelsOf(random, shape) }),
        priority: shape.routes === 1 ? 'normal' : random.weighed({ critical: 1, high: 2, normal: 6, low: 2 }),
        // Enough for what faults take away; what fails by itself is soon through.
        max_attempts: task === 'fails' || task === 'long' ? random.whole(1, 3) : 8,
        retry_delays_seconds: [0, 1],
        timeout_seconds: task === 'long' ? 1 : 60,
        ...(isDueLater && { delay_seconds: (dueMs - atMs) / 1000 }),
      },
      door: random.chance(0.6) ? 'http' : 'sql',
      cancelAfterMs: random.chance(shape.cancelShare) ? random.whole(0, shape.cancelWithinMs) : null,
    }
  })
  return planned.sort((a, b) => a.atMs - b.atMs)
}

function modelsOf(random: Random, { models, wideShare }: Shape): string[] {
  const names = Array.from({ length: random.whole(1, 2) }, () => `m${random.whole(1, models)}`)
  if (random.chance(wideShare)) names.push('wide')
  return [...new Set(names)]
}

function faultsOf(
  random: Random,
  { seconds, everySeconds = 1.2 }: ScenarioOptions,
  kinds: readonly FaultKind[],
): PlannedFault[] {
  if (kinds.length === 0) return []
  const weights = Object.fromEntries(kinds.map((kind) => [kind, faultKinds[kind].weight])) as Record<FaultKind, number>
  const faults: PlannedFault[] = []
  const gapMs = () => Math.round(everySeconds * random.whole(170, 1830))
  for (let atMs = 500 + random.whole(0, 1000); atMs < seconds * 1000; atMs += gapMs()) {
    const kind = random.weighed(weights)
    const { longestMs } = faultKinds[kind]
    // What comes late is short: a run is not to last much longer than its jobs.
    const forMs = longestMs === 0 ? 0 : Math.min(random.whole(300, longestMs), seconds * 1000 + 1500 - atMs)
    faults.push({ atMs, kind, target: random.whole(0, 1_000_000), forMs })
  }
  return faults
}
