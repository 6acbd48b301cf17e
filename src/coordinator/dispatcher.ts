import { setTimeout as sleep } from 'node:timers/promises'
import { Contention } from '../domain/contention.ts'
import { isInterlockError } from '../domain/errors.ts'
import { absorbTouches, claimJobsFor, claimLaneFor } from '../store/agents.ts'
import { type AgentWithRoom, agentsWithRoom } from '../store/dispatch.ts'
import type { Queryable } from '../store/queryable.ts'
import { Turns } from './turns.ts'

const contendedMsAtMost = 10
/** Doorbells and the tick come again; no dispatch holds its caller for ever. */
const roundsAtMost = 200

export interface DispatcherOptions {
  readonly database: Queryable
}

/**
 * Answers doorbells: folds touches into lanes, then claims for the agents of the route, who are told, the least loaded
 * first, as long as any has room.
 *
 * Several bells of one route are answered once. One that arrives during a dispatch runs it again: what it speaks of
 * may have been committed after the running one looked.
 */
export class Dispatcher {
  readonly #database: Queryable
  readonly #running = new Map<string, { again: boolean; done: Promise<number> }>()

  constructor(options: DispatcherOptions) {
    this.#database = options.database
  }

  /** Resolves, with the number of jobs assigned, when what was startable at the time of the call is assigned. */
  dispatch(route: string): Promise<number> {
    const running = this.#running.get(route)
    if (running !== undefined) {
      running.again = true
      return running.done
    }
    const state = { again: false, done: Promise.resolve(0) }
    state.done = this.#answer(route, state).finally(() => this.#running.delete(route))
    this.#running.set(route, state)
    return state.done
  }

  async #answer(route: string, state: { again: boolean }): Promise<number> {
    let assigned = 0
    do {
      state.again = false
      const turns = new Turns(await this.#absorbAndLook(route))
      for (let turn = turns.next(); turn !== null; turn = turns.next()) {
        const { jobs, hasMore } = await this.#claimFor(turn).catch(passOver)
        turns.took(turn, jobs)
        assigned += jobs
        if (!hasMore) break
      }
    } while (state.again)
    return assigned
  }

  /** Both at once, which saves a round trip of every bell; after a flood, which takes its time, who has room is asked again. */
  async #absorbAndLook(route: string): Promise<readonly AgentWithRoom[]> {
    const [leftOver, agents] = await Promise.all([absorbTouches(this.#database), agentsWithRoom(this.#database, route)])
    if (leftOver === 0) return agents
    for (let round = 1; round < roundsAtMost; round++) {
      if ((await absorbTouches(this.#database)) === 0) break
    }
    return agentsWithRoom(this.#database, route)
  }

  /** `hasMore`: it was given what its turn is for, and something may still be startable, for the next one. */
  async #claimFor(
    agent: Pick<AgentWithRoom, 'agentId' | 'room'>,
  ): Promise<{ readonly jobs: number; readonly hasMore: boolean }> {
    const contention = new Contention()
    let jobs = 0
    for (let round = 0; round < roundsAtMost && jobs < agent.room; round++) {
      const before = jobs
      const claimed = await claimJobsFor(this.#database, agent.agentId, agent.room - jobs)
      jobs += claimed.assignments.length
      for (const lane of contention.note(claimed.contended)) {
        if (jobs >= agent.room) break
        jobs += (await claimLaneFor(this.#database, agent.agentId, lane)).assignments.length
      }
      if (!claimed.hasMore && claimed.contended.length === 0) return { jobs, hasMore: false }
      // Who has those locks needs milliseconds, and asking meanwhile only keeps it from them.
      if (jobs === before) await sleep(Math.random() * contendedMsAtMost)
    }
    return { jobs, hasMore: true }
  }
}

/** An agent that went away between the look and the claim is no reason to leave out the others. */
function passOver(error: unknown): { readonly jobs: number; readonly hasMore: boolean } {
  if (isInterlockError(error, 'agent_not_active')) return { jobs: 0, hasMore: true }
  throw error
}
