import type { AgentId } from '../domain/ids.ts'
import type { Database } from './database.ts'
import { Listener } from './listener.ts'

/** Somebody's interest in what is said to an agent. */
export interface AgentWatch {
  /** Until the agent is told something, the time is over or the signal is aborted; at once if it was told meanwhile. */
  next(limitMs: number, signal: AbortSignal): Promise<void>
  close(): void
}

interface Watcher {
  isTold: boolean
  wake: (() => void) | null
}

/**
 * Tells calls that wait on an agent's behalf that something was assigned to it, over one connection for all of them,
 * opened when the first one waits: a service without remote agents needs none.
 */
export class AgentFeed {
  readonly #listener: Listener
  readonly #watchers = new Map<AgentId, Set<Watcher>>()
  #isStarted = false

  constructor(database: Database) {
    this.#listener = new Listener({
      database,
      channels: { interlock_agent: (id) => this.#tell(id as AgentId) },
      // What was said while it was deaf is found by a look.
      onListening: () => {
        for (const id of this.#watchers.keys()) this.#tell(id)
      },
    })
  }

  get isListening(): boolean {
    return this.#listener.isListening
  }

  watch(id: AgentId): AgentWatch {
    if (!this.#isStarted) this.#listener.start()
    this.#isStarted = true
    const watcher: Watcher = { isTold: false, wake: null }
    const watchers = this.#watchers.get(id) ?? new Set()
    this.#watchers.set(id, watchers.add(watcher))
    return {
      next: (limitMs, signal) => untilTold(watcher, limitMs, signal),
      close: () => {
        watchers.delete(watcher)
        if (watchers.size === 0 && this.#watchers.get(id) === watchers) this.#watchers.delete(id)
      },
    }
  }

  async stop(): Promise<void> {
    await this.#listener.stop()
  }

  #tell(id: AgentId): void {
    for (const watcher of this.#watchers.get(id) ?? []) {
      watcher.isTold = true
      watcher.wake?.()
    }
  }
}

async function untilTold(watcher: Watcher, limitMs: number, signal: AbortSignal): Promise<void> {
  if (!watcher.isTold && !signal.aborted) {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, limitMs)
    watcher.wake = resolve
    signal.addEventListener('abort', watcher.wake, { once: true })
    await promise
    clearTimeout(timer)
    signal.removeEventListener('abort', watcher.wake)
    watcher.wake = null
  }
  watcher.isTold = false
}
