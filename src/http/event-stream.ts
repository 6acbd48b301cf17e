import { once } from 'node:events'
import type { Response } from 'express'

const keepAliveSeconds = 15

/**
 * Server-sent events. A client that reads slower than we write makes `send` wait, so that a stream costs its buffer and
 * no more; a line of comment now and then keeps proxies from taking a quiet stream for a dead one.
 */
export class EventStream {
  readonly #response: Response
  readonly #signal: AbortSignal
  readonly #timer: NodeJS.Timeout

  constructor(response: Response, signal: AbortSignal) {
    this.#response = response
    this.#signal = signal
    response.status(200).set({
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no',
    })
    response.flushHeaders()
    this.#timer = setInterval(() => response.write(': still here\n\n'), keepAliveSeconds * 1000)
  }

  /** `id` is what the client names in Last-Event-ID when it comes back. */
  async send(event: { readonly name: string; readonly id?: number | string; readonly data: unknown }): Promise<void> {
    const id = event.id === undefined ? '' : `id: ${event.id}\n`
    await writeGently(
      this.#response,
      `${id}event: ${event.name}\ndata: ${JSON.stringify(event.data)}\n\n`,
      this.#signal,
    )
  }

  /** Tells the client where it is, without an event: what it names when it comes back. */
  async mark(id: string): Promise<void> {
    await writeGently(this.#response, `id: ${id}\n\n`, this.#signal)
  }

  end(): void {
    clearInterval(this.#timer)
    this.#response.end()
  }
}

/** Writes, and waits until the other side has taken it, has left, or the server stops. */
export async function writeGently(response: Response, text: string, signal: AbortSignal): Promise<void> {
  if (signal.aborted || response.write(text)) return
  await once(response, 'drain', { signal }).catch(() => undefined)
}
