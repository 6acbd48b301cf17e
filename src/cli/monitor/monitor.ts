import { setTimeout as sleep } from 'node:timers/promises'
import type { Backend } from '../backend.ts'
import type { Painter } from '../terminal.ts'
import { openFullScreen } from './full-screen.ts'
import { type Key, pressKeys, type Wish } from './keys.ts'
import { type News, Poller } from './poller.ts'
import type { Notice, Scene, ScreenSize } from './scene.ts'
import { drawScreen } from './screen.ts'
import { firstView, type View } from './view.ts'

export interface MonitorOptions {
  readonly place: string
  readonly refreshSeconds: number
  readonly painter: Painter
  /** Opens what is looked at; `signal` gives up whatever is under way. */
  open(signal: AbortSignal): Promise<Backend>
  /** Ends it as a person does who presses q. */
  readonly signal: AbortSignal
}

/** How long somebody who leaves waits for a database that does not answer: the process ends anyway. */
const closingMs = 500
/** And for a change that was asked for. */
const changeMs = 2000
const noticeMs = 8000

/** The monitor on a terminal, until the person leaves. */
export async function runMonitor(options: MonitorOptions): Promise<void> {
  const leaving = new AbortController()
  const signal = AbortSignal.any([options.signal, leaving.signal])
  const session = new Session(options, signal, () => leaving.abort())
  const screen = openFullScreen({
    draw: (size) => session.draw(size),
    onKeys: (keys) => session.press(keys),
    signal,
  })
  session.onChange = () => screen.redraw()
  const polling = session.poll()
  try {
    await Promise.race([screen.closed, polling.then(() => screen.closed)])
  } finally {
    leaving.abort()
    await Promise.race([polling.catch(() => undefined), sleep(closingMs)])
  }
}

/** What is known and what is chosen, put together: the only place where either changes. */
class Session {
  onChange: () => void = () => undefined
  readonly #options: MonitorOptions
  readonly #signal: AbortSignal
  readonly #leave: () => void
  readonly #poller: Poller
  #view: View = firstView
  #scene: Scene
  #answeredAt = performance.now()
  #noticedAt = 0
  readonly #changes = new Set<Promise<Notice>>()

  constructor(options: MonitorOptions, signal: AbortSignal, leave: () => void) {
    this.#options = options
    this.#signal = signal
    this.#leave = leave
    this.#scene = {
      place: options.place,
      refreshSeconds: options.refreshSeconds,
      data: null,
      details: null,
      detailsTrouble: null,
      trouble: null,
      silentSeconds: 0,
      notice: null,
    }
    this.#poller = new Poller({
      open: () => options.open(signal),
      refreshSeconds: options.refreshSeconds,
      onNews: (news) => this.#hear(news),
      signal,
    })
  }

  draw(size: ScreenSize): readonly string[] {
    return drawScreen(this.#scene, this.#view, size, this.#options.painter)
  }

  press(keys: readonly Key[]): void {
    const { view, wish } = pressKeys(this.#view, keys, this.#scene)
    if (view.jobId !== this.#view.jobId) this.#scene = { ...this.#scene, details: null, detailsTrouble: null }
    this.#view = view
    this.#poller.watch(view.jobId)
    if (wish !== null) void this.#grant(wish)
    this.onChange()
  }

  async poll(): Promise<void> {
    const ticking = this.#tick()
    await this.#poller.run()
    await ticking
  }

  async #grant(wish: Wish): Promise<void> {
    if (wish.kind === 'look') return this.#poller.look()
    if (wish.kind === 'leave') {
      // Leaving gives up whatever is under way: what was confirmed a moment ago is carried out first.
      await Promise.race([Promise.allSettled(this.#changes), sleep(changeMs)])
      return this.#leave()
    }
    const change = this.#poller.change(wish)
    this.#changes.add(change)
    const notice = await change
    this.#changes.delete(change)
    this.#noticedAt = performance.now()
    this.#set({ notice })
  }

  #hear(news: News): void {
    switch (news.kind) {
      case 'data':
        this.#answeredAt = performance.now()
        this.#set({ data: news.data, trouble: null, silentSeconds: 0 })
        return
      case 'details':
        this.#set({ details: news.details, detailsTrouble: null })
        return
      case 'details-trouble':
        if (news.jobId === this.#view.jobId) this.#set({ details: null, detailsTrouble: news.text })
        return
      case 'trouble':
        this.#set({ trouble: news.text, silentSeconds: this.#silence() })
    }
  }

  /** So that the age of the last answer is seen to grow while nothing comes. */
  async #tick(): Promise<void> {
    for (;;) {
      await sleep(1000, undefined, { signal: this.#signal }).catch(() => undefined)
      if (this.#signal.aborted) return
      const isOver = performance.now() - this.#noticedAt > noticeMs
      this.#set({ silentSeconds: this.#silence(), ...(isOver ? { notice: null } : {}) })
    }
  }

  #silence(): number {
    return (performance.now() - this.#answeredAt) / 1000
  }

  #set(changes: Partial<Scene>): void {
    if (this.#signal.aborted) return
    this.#scene = { ...this.#scene, ...changes }
    this.onChange()
  }
}
