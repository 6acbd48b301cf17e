/** A lane that one caller found contended so often running is examined alone, its locks waited for. */
const timesAtMost = 3

/**
 * What a caller of claim_jobs remembers between its calls: how often running each lane was contended. A lane that needs
 * many busy resources could otherwise lose the race for their locks for ever.
 */
export class Contention {
  readonly #times = new Map<string, number>()

  /** Notes what one claim found contended. Returns, and forgets, the lanes that are due for claim_lane. */
  note(contended: readonly string[]): readonly string[] {
    const still = new Set(contended)
    for (const lane of this.#times.keys()) if (!still.has(lane)) this.#times.delete(lane)
    for (const lane of still) this.#times.set(lane, (this.#times.get(lane) ?? 0) + 1)
    const due = [...still].filter((lane) => (this.#times.get(lane) ?? 0) >= timesAtMost)
    for (const lane of due) this.#times.delete(lane)
    return due
  }
}
