/** What wakes a loop before its time. A ring while nobody waits is kept; many are one. */
export class Bell {
  #isRung = false
  #wake: (() => void) | null = null

  ring(): void {
    this.#isRung = true
    this.#wake?.()
  }

  /** Until it is rung, the time is over, or the signal is aborted. Returns whether it was rung. */
  async wait(limitMs: number, signal: AbortSignal): Promise<boolean> {
    if (!this.#isRung && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, limitMs)
      this.#wake = resolve
      signal.addEventListener('abort', this.#wake, { once: true })
      await promise
      clearTimeout(timer)
      signal.removeEventListener('abort', this.#wake)
      this.#wake = null
    }
    const isRung = this.#isRung
    this.#isRung = false
    return isRung
  }
}
