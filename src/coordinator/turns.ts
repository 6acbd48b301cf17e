import type { AgentId } from '../domain/ids.ts'
import type { AgentWithRoom } from '../store/dispatch.ts'

export interface Turn {
  readonly agentId: AgentId
  /** How many jobs it is given at most in this turn. */
  readonly room: number
}

/**
 * Whose turn it is while a dispatch gives out jobs: the least loaded agent's, for as many jobs as make it the next one's
 * equal. All that it has room for would leave the others idle; one at a time costs ten times as much for each. So each is
 * given what is fair to the job first, and with each round more at once: a flood fills everybody in a few rounds, and of
 * what there is to give nobody is ever ahead by more than the others were given before.
 */
export class Turns {
  #agents: AgentWithRoom[]
  /** By so much of load an agent may pass the next one before that one has its turn. */
  #leap = 0
  #turnsInRound = 0

  constructor(agents: readonly AgentWithRoom[]) {
    this.#agents = [...agents]
  }

  /** Null: nobody has room. */
  next(): Turn | null {
    const [least, second] = this.#agents.toSorted((one, other) => one.score - other.score || other.room - one.room)
    if (least === undefined) return null
    if (second === undefined || least.scorePerJob <= 0) return { agentId: least.agentId, room: least.room }
    const upTo = second.score + this.#leap - least.score
    const jobs = Math.max(1, Math.floor(upTo / least.scorePerJob))
    return { agentId: least.agentId, room: Math.min(least.room, jobs) }
  }

  took(turn: Turn, jobs: number): void {
    this.#agents = this.#agents.flatMap((agent) => {
      if (agent.agentId !== turn.agentId) return [agent]
      // Who could not take all is full, gone, or loaded by now.
      const room = jobs < turn.room ? 0 : agent.room - jobs
      return room > 0 ? [{ ...agent, room, score: agent.score + jobs * agent.scorePerJob }] : []
    })
    this.#turnsInRound += 1
    if (this.#turnsInRound < this.#agents.length) return
    this.#turnsInRound = 0
    this.#leap = this.#leap === 0 ? 1 : this.#leap * 2
  }
}
