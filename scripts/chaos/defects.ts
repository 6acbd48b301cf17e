import type { Database } from '../../src/store/database.ts'
import { type Mutation, mutated, mutationSupport, mutations } from '../../tests/property/mutations.ts'
import { failpointSupport, type Verb, verbsQuery } from '../../tests/support/failpoints.ts'
import type { SourceEdit } from './program.ts'
import type { FaultKind, Shape } from './scenario.ts'

/** One thing done wrong, in a copy of the program or in the verbs of the run's own database. */
export interface Defect {
  readonly name: string
  /** Which faults bring it out; all unless set. */
  readonly faults?: readonly FaultKind[]
  /** In which crowd it shows; as the seed draws it unless set. */
  readonly shape?: Partial<Shape>
  /** For how long jobs come; 8 unless set. */
  readonly seconds?: number
  readonly verbs?: Mutation
  readonly sources?: readonly SourceEdit[]
}

const ofVerbs = (name: string): Mutation => {
  const mutation = mutations.find((one) => one.name.startsWith(name))
  if (mutation === undefined) throw new Error(`there is no mutation "${name}"`)
  return mutation
}

/** With a pause before what the mutation has put last: on two cores nobody would come in between within microseconds. */
const slower = ({ name, edits }: Mutation, verb: string, find: RegExp, seconds: number): Mutation => ({
  name,
  edits: [...edits, { verb, find, replace: `perform pg_sleep(${seconds}); $&` }],
})

const takeovers: readonly FaultKind[] = [
  'kill agent',
  'freeze agent',
  'mute line',
  'mute line one way',
  'cut at the end of a transaction',
]

/** What the harness is tested by: of these it has to find nearly all. */
export const defects: readonly Defect[] = [
  {
    name: 'a lane that cannot use what it was woken for wakes nobody',
    faults: ['freeze agent'],
    shape: { users: 5, models: 2, modelShare: 0.9, slots: 8, patienceSeconds: 300 },
    verbs: ofVerbs('no pass-on'),
  },
  {
    name: 'an emptied lane wakes nobody',
    faults: ['change a capacity'],
    // Cancelled while it reserves, and nobody comes later for the same.
    shape: {
      users: 60,
      models: 8,
      modelShare: 1,
      routes: 1,
      cancelShare: 0.6,
      cancelWithinMs: 4000,
      dueShare: 0,
      slots: 8,
      patienceSeconds: 0,
    },
    seconds: 3,
    verbs: ofVerbs('vacating wakes nobody'),
  },
  {
    name: 'slots are read before they are locked',
    faults: ['freeze agent'],
    shape: { users: 6, models: 3, modelShare: 0.7, agents: 3, coordinators: 2, slots: 8, patienceSeconds: 300 },
    verbs: slower(ofVerbs('slots are read before'), 'claim_jobs', /v_try\.locked := array\(/, 0.005),
  },
  {
    name: 'the youngest job of a lane is taken for its head',
    faults: ['kill coordinator'],
    shape: { users: 6 },
    verbs: {
      name: 'youngest head',
      edits: [
        {
          verb: 'read_heads',
          find: /order by j\.seniority, j\.id(?=\s+limit u\.wanted)/,
          replace: 'order by j.seniority desc',
        },
      ],
    },
  },
  {
    name: 'the most junior lanes are looked at first',
    faults: ['change a capacity'],
    shape: { users: 60, modelShare: 0, dueShare: 0, routes: 1, scheduling: 'fifo', slots: 3, agents: 2 },
    verbs: {
      name: 'junior lanes first',
      edits: [
        {
          verb: 'pop_lanes',
          find: /order by k\.rank, k\.id(?=\s+limit [^\n]+\s+for no key update skip locked)/,
          replace: 'order by k.rank desc',
        },
      ],
    },
  },
  {
    name: 'reservations are not a prefix',
    faults: ['freeze agent'],
    shape: { users: 6, models: 3, modelShare: 0.9, patienceSeconds: 0 },
    verbs: ofVerbs('reservations are not a prefix'),
  },
  {
    // Hides: who is woken and started passes on what is left free, one claim later.
    name: 'a wake for each resource, not for each slot',
    faults: ['kill agent'],
    // An agent that held several slots of one resource is given up, when nobody comes any more who would take the others.
    shape: {
      users: 60,
      models: 30,
      modelShare: 1,
      wideShare: 0.95,
      wideCapacity: 3,
      routes: 1,
      slots: 8,
      agents: 2,
      arrivalShare: 0.3,
      dueShare: 0,
      cancelShare: 0,
      patienceSeconds: 300,
    },
    verbs: ofVerbs('a wake for each resource'),
  },
  { name: 'no touch on return to pending', verbs: ofVerbs('no touch on return') },
  { name: 'no token check on release', faults: takeovers, verbs: ofVerbs('no token check') },
  {
    name: 'heads are not locked',
    faults: ['change a capacity'],
    // Cancelled in the moment in which it is claimed.
    shape: { users: 60, modelShare: 0.1, cancelShare: 0.7, cancelWithinMs: 30, dueShare: 0, slots: 8 },
    verbs: ofVerbs('heads are not locked'),
  },
  {
    name: 'a release frees what another job holds now',
    faults: takeovers,
    verbs: {
      name: 'double release',
      edits: [
        { verb: 'release_held', find: /where j\.token = u\.token/g, replace: 'where true' },
        { verb: 'release_held', find: /and s\.active_job_id = f\.id/, replace: '' },
      ],
    },
  },
  {
    name: 'the keeper does not end the jobs of an agent that is gone',
    faults: ['kill agent'],
    sources: [
      {
        file: 'agent/keeper-process.ts',
        find: /agent\.on\('(close|end)', \(\) => void leave\('agent_gone'\)\)/g,
        replace: "agent.on('$1', () => undefined)",
      },
      { file: 'agent/keeper-process.ts', find: "if (isLeaseOver()) endAll('lease_lost')", replace: '' },
    ],
  },
  {
    name: 'nobody looks whether the lease is over',
    faults: ['freeze agent'],
    // Something has to run for longer than a lease.
    shape: { users: 30, longShare: 0.2, agents: 3, slots: 8, patienceSeconds: 300 },
    seconds: 12,
    sources: [
      { file: 'agent/keeper-process.ts', find: "if (isLeaseOver()) endAll('lease_lost')", replace: '' },
      {
        file: 'agent/lease.ts',
        find: 'return monotonicMs() >= this.#untilMs',
        replace: 'return false',
      },
    ],
  },
  {
    name: 'nobody rings and nobody ticks',
    faults: ['kill agent', 'freeze agent'],
    sources: [
      {
        file: 'coordinator/ticker.ts',
        find: 'async tick(): Promise<void> {',
        replace: 'async tick(): Promise<void> {\n    if (performance.now() > 0) return',
      },
    ],
  },
  {
    name: 'a job that was not heard to have started is started again by its agent',
    sources: [{ file: 'agent/agent.ts', find: 'if (this.#attempts.has(key) ||', replace: 'if (' }],
  },
]

export interface Defective {
  readonly edits: readonly SourceEdit[]
  readonly onMigrated: (database: Database) => Promise<void>
}

/** What makes the program and the database of a run defective. */
export function build({ verbs, sources = [] }: Defect): Defective {
  return {
    edits: sources,
    async onMigrated(database) {
      if (verbs === undefined) return
      await database.query(failpointSupport)
      await database.query(mutationSupport)
      const installed = await database.query<Verb>(verbsQuery)
      const defective = mutated(installed, verbs)
      const changed = defective.filter(({ definition }, n) => definition !== installed[n]?.definition)
      // An edit of a verb that is no more would leave a healthy system to be found out.
      for (const { verb } of verbs.edits)
        if (!changed.some(({ name }) => name === verb)) throw new Error(`"${verbs.name}" changes nothing in ${verb}`)
      for (const { definition } of changed) await database.query(definition)
    },
  }
}
