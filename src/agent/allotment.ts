/** By what an agent ends of itself. */
export interface AllotmentOptions {
  readonly burst?: boolean
  readonly maxJobs?: number | null
  readonly maxIdleSeconds?: number | null
}

/** How much an agent is to do before it ends by itself: all there is, so many jobs, or until it was idle for so long. */
export class Allotment {
  readonly #options: AllotmentOptions
  readonly #onUsedUp: (why: string) => void
  #taken = 0
  #idleTimer: NodeJS.Timeout | null = null

  constructor(options: AllotmentOptions, onUsedUp: (why: string) => void) {
    this.#options = options
    this.#onUsedUp = onUsedUp
  }

  /** How many more jobs it takes. */
  get left(): number {
    return Math.max(0, (this.#options.maxJobs ?? Number.POSITIVE_INFINITY) - this.#taken)
  }

  took(): void {
    this.#stopTimer()
    this.#taken += 1
    if (this.left === 0) this.#onUsedUp(`agent has taken ${this.#taken} jobs, as many as it was to; it ends after them`)
  }

  /** It has nothing in hand. */
  isIdle(): void {
    const { maxIdleSeconds } = this.#options
    if (maxIdleSeconds == null) return
    this.#stopTimer()
    const end = () => this.#onUsedUp(`agent had nothing to do for ${maxIdleSeconds} s; it ends`)
    this.#idleTimer = setTimeout(end, maxIdleSeconds * 1000)
  }

  foundNothing(): void {
    if (this.#options.burst === true) this.#onUsedUp('nothing is left that this agent could start; it ends')
  }

  close(): void {
    this.#stopTimer()
  }

  #stopTimer(): void {
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer)
    this.#idleTimer = null
  }
}
