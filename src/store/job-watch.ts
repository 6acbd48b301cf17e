export type JobNews = 'ended' | 'output' | 'timeout' | 'closed'

/** Somebody's interest in one job, made by a JobFeed. Close it when done. */
export class JobWatch {
  afterSeq: number | null = null
  readonly #onClose: (watch: JobWatch) => void
  readonly #onFollow: () => void
  readonly #known = new Set<JobNews>()
  #wake: (() => void) | null = null

  constructor(onClose: (watch: JobWatch) => void, onFollow: () => void) {
    this.#onClose = onClose
    this.#onFollow = onFollow
  }

  tell(news: JobNews): void {
    this.#known.add(news)
    this.#wake?.()
  }

  /** Makes the feed look for output after this chunk, too. */
  followOutput(afterSeq: number): void {
    this.afterSeq = afterSeq
    this.#known.delete('output')
    this.#onFollow()
  }

  /**
   * The next news, at once if there is any already. `ended` is worth a look and no more: by then the job may have been
   * requeued.
   */
  async next(options: { readonly timeoutSeconds: number; readonly signal?: AbortSignal }): Promise<JobNews> {
    const isGivenUp = () => options.signal?.aborted === true
    const news = this.#take()
    if (news !== null || isGivenUp()) return news ?? 'closed'
    await new Promise<void>((resolve) => {
      const done = () => resolve()
      const timer = setTimeout(done, options.timeoutSeconds * 1000)
      options.signal?.addEventListener('abort', done, { once: true })
      this.#wake = () => {
        clearTimeout(timer)
        options.signal?.removeEventListener('abort', done)
        resolve()
      }
    })
    this.#wake?.()
    this.#wake = null
    if (isGivenUp()) return 'closed'
    return this.#take() ?? 'timeout'
  }

  close(): void {
    this.#onClose(this)
  }

  /** Output before the end: whoever is told of the end stops listening. */
  #take(): JobNews | null {
    const news = (['closed', 'output', 'ended'] as const).find((candidate) => this.#known.has(candidate)) ?? null
    if (news !== null && news !== 'closed') this.#known.delete(news)
    return news
  }
}
