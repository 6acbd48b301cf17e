import { setTimeout as sleep } from 'node:timers/promises'
import { Agent } from './agent.ts'
import type { AgentOptions } from './agent-options.ts'

export interface RunAgentOptions extends AgentOptions {
  /** Aborted when there is no more time: jobs that still run are ended and returned at once. */
  readonly hurry?: AbortSignal
  readonly onReady?: (agent: Agent) => void
}

/**
 * Runs an agent until the signal is aborted, then drains it. Throws InterlockError where it cannot start: the caller
 * decides whether a database that is away is worth another try.
 */
export async function runAgent(options: RunAgentOptions, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const agent = new Agent(options)
  const stop = () => void agent.stop()
  const hurry = () => void agent.stop({ graceSeconds: 0 })
  signal.addEventListener('abort', stop, { once: true })
  options.hurry?.addEventListener('abort', hurry, { once: true })
  try {
    await agent.start()
    options.onReady?.(agent)
    await aborted(AbortSignal.any([signal, ...(options.hurry === undefined ? [] : [options.hurry])]))
  } finally {
    await agent.stop(options.hurry?.aborted === true ? { graceSeconds: 0 } : {})
    signal.removeEventListener('abort', stop)
    options.hurry?.removeEventListener('abort', hurry)
  }
}

// With a timer, so that waiting for the signal keeps the process alive whatever else it has open.
async function aborted(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await sleep(86_400_000, undefined, { signal }).catch(() => undefined)
}
