/** What every system is given, each as much of it as it can exclude by. */
export interface BenchJob {
  readonly user: string
  readonly models: readonly string[]
}

export interface Mix {
  readonly users: number
  readonly models: number
  /** Distinct models a job; 1 unless set. */
  readonly modelsEach?: number
}

/** So many jobs of random users on random models; the same for the same seed. */
export function randomJobs(count: number, mix: Mix, seed: number): readonly BenchJob[] {
  const random = randomFrom(seed)
  const upTo = (limit: number): number => Math.floor(random() * limit)
  return Array.from({ length: count }, () => {
    const user = `u${upTo(mix.users)}`
    const models = new Set<string>()
    while (models.size < Math.min(mix.modelsEach ?? 1, mix.models)) models.add(`m${upTo(mix.models)}`)
    return { user, models: [...models] }
  })
}

export function* batchesOf<Item>(items: readonly Item[], size: number): Generator<readonly Item[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size)
}

/** A small generator of random numbers from a seed (mulberry32), so that a printed seed brings the run back. */
export function randomFrom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
