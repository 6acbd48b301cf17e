import { describe, expect, it } from 'vitest'
import { Dispatcher } from '../../src/coordinator/dispatcher.ts'
import { asAgentId } from '../../src/domain/ids.ts'
import { heartbeatAgent } from '../../src/store/agents.ts'
import { createAttemptStore, type HeldJob } from '../../src/store/attempts.ts'
import { lostAgents, sweepAgent } from '../../src/store/upkeep.ts'
import { type Assigned, EngineWorld } from './engine-world.ts'

/**
 * A machine of the simulation: what it is busy with besides, what a job costs it, and how many seconds one takes it. Its
 * CPU and memory follow from the jobs that it has; nothing else tells the coordinator how fast or how strong it is.
 */
interface Machine {
  readonly name: string
  readonly slots: number
  readonly ownCpu: number
  readonly ownMemory: number
  readonly cpuPerJob: number
  readonly memoryPerJob: number
  readonly secondsPerJob: number
}

const machine = (name: string, figures: Partial<Machine>): Machine => ({
  ...{ slots: 20, ownCpu: 10, ownMemory: 20, cpuPerJob: 4, memoryPerJob: 2, secondsPerJob: 20 },
  ...figures,
  name,
})

const healthy = [
  machine('fast', { slots: 40, cpuPerJob: 2, memoryPerJob: 1, secondsPerJob: 8 }),
  machine('large', { slots: 60, cpuPerJob: 1.5, memoryPerJob: 1.5, secondsPerJob: 15 }),
  machine('plain-1', {}),
  machine('plain-2', {}),
  machine('slow', { secondsPerJob: 45 }),
  machine('used', { ownCpu: 40, ownMemory: 35 }),
  machine('small', { slots: 12, cpuPerJob: 4.5, memoryPerJob: 3 }),
  machine('dying', {}),
]
// Their own work alone is above 80: 0.40 * 100 + 0.35 * 97 + what they have in hand of their own.
const overloaded = [
  machine('choked', { ownCpu: 100, ownMemory: 97, slots: 50 }),
  machine('swapping', { ownCpu: 99, ownMemory: 100, slots: 50 }),
]
const backlogOfTheirOwn = 20

class Simulated {
  readonly id: string
  readonly #world: EngineWorld
  readonly #is: Machine
  readonly jobs = new Map<string, { readonly job: Assigned; readonly endsAt: number }>()
  score = 0
  #taken = 0
  /** How often it was given a job while what it had said of itself was above 80. */
  givenAbove = 0
  isDead = false

  constructor(world: EngineWorld, id: string, is: Machine) {
    this.#world = world
    this.id = id
    this.#is = is
  }

  get name(): string {
    return this.#is.name
  }

  get isOverloaded(): boolean {
    return overloaded.includes(this.#is)
  }

  /** Takes up what it was given by a dispatch. */
  async takeUp(now: number): Promise<void> {
    const [row] = await this.#world.query<{ jobs: readonly Assigned[] }>(
      'select interlock.list_assignments($1) as jobs',
      [this.id],
    )
    await this.#take(row?.jobs ?? [], now)
  }

  /** Ends what is done; and, as every agent does, claims for the slots that became free. */
  async work(now: number): Promise<void> {
    const done = [...this.jobs.values()].filter(({ endsAt }) => endsAt <= now)
    if (done.length === 0) return
    await this.#world.complete(...done.map(({ job }) => job))
    for (const { job } of done) this.jobs.delete(job.job_id)
    const { jobs } = await this.#world.claimOnce(done.length, this.id)
    await this.#take(jobs, now)
  }

  async beat(): Promise<void> {
    const { ownCpu, ownMemory, cpuPerJob, memoryPerJob } = this.#is
    const load = {
      cpuPercent: Math.min(100, ownCpu + cpuPerJob * this.jobs.size),
      memoryPercent: Math.min(100, ownMemory + memoryPerJob * this.jobs.size),
      queueDepth: this.jobs.size + (this.isOverloaded ? backlogOfTheirOwn : 0),
    }
    const held = [...this.jobs.values()].map(({ job }) => ({ jobId: job.job_id, token: job.token }) as HeldJob)
    await heartbeatAgent(this.#world.test.database, asAgentId(this.id), held, load)
    const [row] = await this.#world.query<{ score: number }>(
      'select load_score as score from interlock.agent_stats where id = $1',
      [this.id],
    )
    this.score = row?.score ?? Number.NaN
  }

  async #take(jobs: readonly Assigned[], now: number): Promise<void> {
    if (jobs.length === 0) return
    if (this.score > 80) this.givenAbove += jobs.length
    const started = jobs.map((job) => ({ jobId: job.job_id, token: job.token }) as HeldJob)
    await createAttemptStore(this.#world.test.database).startJobs(started)
    // Some jobs are longer than others, or all that began together would end together.
    for (const job of jobs) {
      this.#taken += 1
      const share = 0.6 + 0.8 * ((this.#taken * 0.618) % 1)
      this.jobs.set(job.job_id, { job, endsAt: now + this.#is.secondsPerJob * share })
    }
  }
}

class Simulation {
  readonly world: EngineWorld
  readonly dispatcher: Dispatcher
  readonly agents: readonly Simulated[]
  now = 0
  #enqueued = 0

  static async create(): Promise<Simulation> {
    const world = await EngineWorld.create()
    await world.query('select interlock.end_agent($1)', [world.agent])
    const agents: Simulated[] = []
    for (const is of [...healthy, ...overloaded]) {
      const [row] = await world.query<{ agent_id: string }>(
        'select agent_id from interlock.register_agent($1, $2, $3, p_lease_seconds => 15)',
        [is.name, ['default'], is.slots],
      )
      agents.push(new Simulated(world, row?.agent_id ?? '', is))
    }
    for (const agent of agents) await agent.beat()
    return new Simulation(world, agents)
  }

  private constructor(world: EngineWorld, agents: readonly Simulated[]) {
    this.world = world
    this.agents = agents
    this.dispatcher = new Dispatcher({ database: world.test.database })
  }

  get living(): readonly Simulated[] {
    return this.agents.filter(({ isDead }) => !isDead)
  }

  of(name: string): Simulated {
    const agent = this.agents.find((candidate) => candidate.name === name)
    if (agent === undefined) throw new Error(`there is no ${name}`)
    return agent
  }

  /** A second: jobs come in, are given out, begin and end, and everybody says how it is. */
  async second(newJobs: number): Promise<void> {
    await this.world.test.advanceClock(1)
    this.now += 1
    if (newJobs > 0) {
      const first = this.#enqueued
      this.#enqueued += newJobs
      await this.world.enqueue(...Array.from({ length: newJobs }, (_, n) => ({ user: `u${first + n}` })))
    }
    for (const agent of this.living) await agent.work(this.now)
    await this.dispatcher.dispatch('default/autonomous')
    for (const agent of this.living) await agent.takeUp(this.now)
    for (const agent of this.living) await agent.beat()
  }

  scores(): readonly number[] {
    return this.living.filter(({ isOverloaded }) => !isOverloaded).map(({ score }) => score)
  }
}

const spreadOf = (scores: readonly number[]) => Math.max(...scores) - Math.min(...scores)

describe('ten agents of unequal load and speed', { timeout: 60_000 }, () => {
  it('come to within 10 points of each other, none is given a job above 80, and a dead one’s jobs go on elsewhere', async () => {
    const simulation = await Simulation.create()
    const { world } = simulation
    expect(overloaded.map(({ name }) => simulation.of(name).score > 80)).toEqual([true, true])
    const before = spreadOf(simulation.scores())
    expect(before).toBeGreaterThan(10)

    // Work comes in at the pace that it is done at, enough of it that the idle ones are as loaded as the busy one.
    const spreads: number[] = []
    for (let n = 0; n < 80; n += 1) {
      await simulation.second(6)
      if (n >= 55) spreads.push(spreadOf(simulation.scores()))
    }
    expect(Math.max(...spreads)).toBeLessThanOrEqual(10)
    expect(Math.min(...simulation.scores())).toBeGreaterThan(25)

    // One is not heard of any more: after its lease its jobs are others'.
    const dying = simulation.of('dying')
    const orphans = [...dying.jobs.keys()]
    expect(orphans.length).toBeGreaterThan(0)
    dying.isDead = true
    for (let n = 0; n < 17; n += 1) await simulation.second(7)
    for (const { agentId } of await lostAgents(world.test.database)) await sweepAgent(world.test.database, agentId)
    for (let n = 0; n < 6; n += 1) await simulation.second(0)
    const elsewhere = await world.query<{ agent_id: string }>(
      `select agent_id from interlock.job_queue_log
       where event_type = 'assigned' and job_id = any ($1) and agent_id <> $2`,
      [orphans, dying.id],
    )
    expect(elsewhere).toHaveLength(orphans.length)

    // A flood: every slot that a load below the ceiling leaves open is used, and no other.
    for (let n = 0; n < 12; n += 1) await simulation.second(n === 0 ? 600 : 0)
    expect(Math.max(...simulation.scores())).toBeGreaterThan(60)
    expect(simulation.agents.map(({ name, givenAbove }) => [name, givenAbove])).toEqual(
      simulation.agents.map(({ name }) => [name, 0]),
    )
    for (const { name } of overloaded) {
      const id = simulation.of(name).id
      expect(
        (await world.query(`select from interlock.job_queue_log where agent_id = $1 and job_id is not null`, [id]))
          .length,
      ).toBe(0)
    }
    expect(await world.violations()).toEqual([])
  })
})
