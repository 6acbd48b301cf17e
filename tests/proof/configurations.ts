// What of lanes.pml and floors.pml is verified: the models as they are, in parts small enough to be looked at whole, and each
// mutation of them in the part where it does harm.

export type Model = 'lanes' | 'floors'

export interface Configuration {
  readonly name: string
  /** lanes unless it says otherwise. */
  readonly model?: Model
  readonly definitions: readonly string[]
  /** More than a few seconds. */
  readonly isLong?: true
}

const twoLongTransactions = ['SESSIONS=2', 'TRANSACTIONS=1', 'STATEMENTS=3', 'RANKS=2']

export const configurations: readonly Configuration[] = [
  { name: 'an enqueuer that may roll back', definitions: ['ENQUEUED=8'] },
  { name: 'a job given back', definitions: ['RETURNS=1'] },
  { name: 'a job cancelled while it waits or runs', definitions: ['CANCELLED=2'] },
  { name: 'sessions that die', definitions: ['CRASHES=1'] },
  { name: 'reservations in a ring of lanes', definitions: ['RING', 'RESERVE'] },
  { name: 'reservations of a gang, sessions that die', definitions: ['GANG', 'RESERVE', 'CRASHES=1'] },
  { name: 'two slots of a resource', definitions: ['COUNTED', 'LIMIT=2', 'RELEASE_TOGETHER'] },
  { name: 'two absorbers', definitions: ['ABSORBERS=2', 'ENQUEUED=8'] },
  { name: 'every statement a step', definitions: ['EACH_STATEMENT', 'ENQUEUED=8'] },
  { name: 'every job ends at last', definitions: ['LIVENESS'] },
  { name: 'floors, two long transactions', model: 'floors', definitions: twoLongTransactions },
  {
    name: 'floors, raised time and again',
    model: 'floors',
    definitions: ['SESSIONS=2', 'TRANSACTIONS=2', 'STATEMENTS=2', 'RANKS=2', 'LANES=1'],
  },
  {
    name: 'floors, three sessions',
    model: 'floors',
    definitions: ['SESSIONS=3', 'TRANSACTIONS=1', 'STATEMENTS=2', 'RANKS=2', 'LANES=1'],
  },

  { name: 'a job given back, an enqueuer that may roll back', definitions: ['ENQUEUED=8', 'RETURNS=1'], isLong: true },
  { name: 'an enqueuer and sessions that die twice', definitions: ['ENQUEUED=8', 'CRASHES=2'], isLong: true },
  { name: 'a job given back and one cancelled', definitions: ['RETURNS=1', 'CANCELLED=4'], isLong: true },
  { name: 'two releasers of one job', definitions: ['RELEASERS=2', 'RETURNS=1'], isLong: true },
  { name: 'a gang whose job is cancelled', definitions: ['GANG', 'RESERVE', 'CANCELLED=4'], isLong: true },
  { name: 'a ring of lanes, a job given back', definitions: ['RING', 'RESERVE', 'RETURNS=1'], isLong: true },
  { name: 'a ring of lanes, a job cancelled', definitions: ['RING', 'RESERVE', 'CANCELLED=2'], isLong: true },
  { name: 'every statement a step, a job cancelled', definitions: ['EACH_STATEMENT', 'CANCELLED=2'], isLong: true },
  { name: 'every statement a step, a ring of lanes', definitions: ['EACH_STATEMENT', 'RING', 'RESERVE'], isLong: true },
  { name: 'every job ends at last, one is enqueued', definitions: ['LIVENESS', 'ENQUEUED=8'], isLong: true },
  { name: 'every job ends at last, one given back', definitions: ['LIVENESS', 'RETURNS=1'], isLong: true },
  { name: 'every job ends at last, sessions die', definitions: ['LIVENESS', 'CRASHES=1'], isLong: true },
  { name: 'every job ends at last, in a ring', definitions: ['LIVENESS', 'RING', 'RESERVE'], isLong: true },
  { name: 'floors, three sessions and two lanes', model: 'floors', definitions: ['TRANSACTIONS=1'], isLong: true },
]

export interface Mutation {
  readonly name: string
  /** lanes unless it says otherwise. */
  readonly model?: Model
  readonly definitions: readonly string[]
  /** What it does, in the words of lanes.pml. */
  readonly violates: string
}

const waitsForNothing = 'a job waits while nothing it needs is used'
const deadlock = 'sessions wait for each other'
const belowTheFloor = 'an awake lane is below the floor'
const floors = (name: string, mutation: string, part = twoLongTransactions): Mutation => ({
  name,
  model: 'floors',
  definitions: [...part, mutation],
  violates: belowTheFloor,
})

export const mutations: readonly Mutation[] = [
  floors('a floor that forgets what is in progress', 'MUTATION_NOBODY_IN_PROGRESS', ['TRANSACTIONS=1']),
  floors('a floor that forgets its own transaction', 'MUTATION_NOT_ITSELF'),
  floors('a floor below all numbers given', 'MUTATION_BELOW_ALL_GIVEN'),
  floors('a sooner rank that does not say by whom', 'MUTATION_AWAKE_BY_NOBODY'),
  {
    name: 'no pass-on',
    definitions: ['CANCELLED=2', 'MUTATION_NO_PASS_ON', 'CONSEQUENCES_ONLY'],
    violates: waitsForNothing,
  },
  {
    name: 'read before lock',
    definitions: ['ENQUEUED=8', 'MUTATION_READ_BEFORE_LOCK', 'CONSEQUENCES_ONLY'],
    violates: waitsForNothing,
  },
  {
    // Who is the most senior takes back what it lacks, so this one hangs nothing here: it is the auditor's to see.
    name: 'reservations not a prefix',
    definitions: ['RING', 'RESERVE', 'MUTATION_RESERVATIONS_NOT_A_PREFIX'],
    violates: 'reservations are not a prefix',
  },
  {
    name: 'vacate without wake',
    definitions: ['CANCELLED=2', 'MUTATION_VACATE_WITHOUT_WAKE', 'CONSEQUENCES_ONLY'],
    violates: waitsForNothing,
  },
  {
    name: 'vacate without locks',
    definitions: ['GANG', 'RESERVE', 'CANCELLED=4', 'MUTATION_VACATE_WITHOUT_LOCKS', 'CONSEQUENCES_ONLY'],
    violates: deadlock,
  },
  {
    name: 'release without lock',
    definitions: ['ENQUEUED=8', 'MUTATION_RELEASE_WITHOUT_LOCK', 'CONSEQUENCES_ONLY'],
    violates: waitsForNothing,
  },
  {
    name: 'no touch on return to pending',
    definitions: ['RETURNS=1', 'MUTATION_NO_TOUCH_ON_RETURN', 'CONSEQUENCES_ONLY'],
    violates: waitsForNothing,
  },
  {
    name: "a lane's touches deleted after its head was read",
    definitions: ['RETURNS=1', 'CANCELLED=4', 'MUTATION_DELETE_AFTER_READ', 'CONSEQUENCES_ONLY'],
    violates: waitsForNothing,
  },
  {
    name: 'a locked head taken for an empty lane',
    definitions: ['CANCELLED=2', 'MUTATION_LOCKED_HEAD_TAKEN_FOR_EMPTY', 'CONSEQUENCES_ONLY'],
    violates: waitsForNothing,
  },
  {
    name: 'resources locked in no order',
    definitions: ['RING', 'RELEASERS=2', 'MUTATION_LOCKS_IN_NO_ORDER', 'CONSEQUENCES_ONLY'],
    violates: deadlock,
  },
  {
    name: 'no touch on return to pending, by liveness alone',
    definitions: ['LIVENESS', 'RETURNS=1', 'MUTATION_NO_TOUCH_ON_RETURN'],
    violates: 'a job never ends',
  },
]
