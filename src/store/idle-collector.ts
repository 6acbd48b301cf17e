import type { Queryable } from './queryable.ts'
import { collectIdle, fromTheStart } from './upkeep.ts'

/** A stretch costs milliseconds, but a hundred times that while somebody holds an old snapshot and it is full of the dead. */
const restFactor = 20

/** Takes empty lanes and idle slots away, a stretch at a time, and rests long enough for that to be a twentieth of one connection. */
export class IdleCollector {
  readonly #database: Queryable
  #after = fromTheStart
  #restsUntilMs = 0

  constructor(database: Queryable) {
    this.#database = database
  }

  /** The next stretch; nothing while it rests. */
  async collect(): Promise<void> {
    const beganMs = performance.now()
    if (beganMs < this.#restsUntilMs) return
    this.#after = await collectIdle(this.#database, this.#after)
    const endedMs = performance.now()
    this.#restsUntilMs = endedMs + restFactor * (endedMs - beganMs)
  }
}
