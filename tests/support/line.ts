import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export type Direction = 'to server' | 'to client' | 'both'

/** What a line does with the bytes that come to it. */
export type Trouble =
  | { readonly kind: 'none' }
  | { readonly kind: 'swallow'; readonly direction: Direction }
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'drip'; readonly bytesPerSecond: number }

/** Whether the server has heard of what is then cut: the one that asked cannot know. */
export type CutSide = 'before the server' | 'after the server'

interface Pair {
  readonly near: Socket
  readonly far: Socket
  /** It has lost bytes: what comes after a gap would be another conversation. */
  isMute: boolean
  isListening: boolean
}

/** What ends a transaction: COMMIT itself, or a verb that is one by itself, bound by the name of its statement. */
const ending = /commit|enqueue|complete_jobs|start_jobs|fail_job|claim_jobs/i

/**
 * A way to a server over TCP that can be put in trouble: cut, mute, slow, one byte at a time, or cut exactly where a
 * transaction ends. It knows enough of Postgres' protocol to see that, and passes everything on unread otherwise.
 */
export class Line {
  readonly #server: Server
  readonly #pairs = new Set<Pair>()
  readonly #target: { readonly host: string; readonly port: number }
  #trouble: Trouble = { kind: 'none' }
  #cutAtEnd: CutSide | null = null
  #port = 0

  private constructor(target: { readonly host: string; readonly port: number }) {
    this.#target = target
    this.#server = createServer((near) => this.#carry(near))
  }

  /** To the server of this URL. */
  static async lay(url: string): Promise<Line> {
    const { hostname, port } = new URL(url)
    const line = new Line({ host: hostname, port: Number(port) })
    await line.#listen(0)
    return line
  }

  /** The same database, by way of this line. */
  urlOf(url: string): string {
    const changed = new URL(url)
    changed.host = `127.0.0.1:${this.#port}`
    return changed.href
  }

  get connections(): number {
    return this.#pairs.size
  }

  /** What is open ends at once; what is opened next is carried again. */
  cut(): void {
    for (const pair of this.#pairs) end(pair)
  }

  /** The next transaction that ends on this line is cut there, once. */
  cutAtEnd(side: CutSide): void {
    this.#cutAtEnd = side
  }

  trouble(trouble: Trouble): void {
    this.#trouble = trouble
  }

  /** Nothing comes or goes any more on the connections that have asked to be notified; nobody is told. */
  muteListening(): void {
    for (const pair of this.#pairs) if (pair.isListening) pair.isMute = true
  }

  /** As good as new for what is opened next. A connection that lost bytes stays mute, as one that a router has forgotten. */
  heal(): void {
    this.#trouble = { kind: 'none' }
    this.#cutAtEnd = null
  }

  /** Carries again after close(), where it did before. */
  open(): Promise<void> {
    return this.#listen(this.#port)
  }

  /** Cuts what is open, and refuses what comes. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.cut()
    await closed
  }

  async #listen(port: number): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve))
    this.#port = (this.#server.address() as { port: number }).port
  }

  #carry(near: Socket): void {
    const far = connect(this.#target.port, this.#target.host)
    const pair: Pair = { near, far, isMute: false, isListening: false }
    this.#pairs.add(pair)
    for (const socket of [near, far]) {
      socket.on('error', () => undefined)
      socket.on('close', () => {
        this.#pairs.delete(pair)
        end(pair)
      })
    }
    void this.#pass(pair, 'to server')
    void this.#pass(pair, 'to client')
  }

  async #pass(pair: Pair, direction: Direction): Promise<void> {
    const [from, to] = direction === 'to server' ? [pair.near, pair.far] : [pair.far, pair.near]
    try {
      for await (const bytes of from as AsyncIterable<Buffer>) {
        if (direction === 'to server' && !pair.isListening)
          pair.isListening = /\blisten\b/i.test(bytes.toString('latin1'))
        if (direction === 'to server' && this.#cutAtEnd !== null && ending.test(bytes.toString('latin1'))) {
          await this.#cutHere(pair, bytes)
          return
        }
        await this.#deliver(bytes, pair, direction)
      }
      to.end()
    } catch {
      end(pair)
    }
  }

  async #cutHere(pair: Pair, bytes: Buffer): Promise<void> {
    const side = this.#cutAtEnd
    this.#cutAtEnd = null
    if (side === 'after the server') {
      pair.far.pause()
      pair.far.write(bytes)
      // Long enough for the server to have committed; nobody is told either way.
      await sleep(50)
    }
    end(pair)
  }

  async #deliver(bytes: Buffer, pair: Pair, direction: Direction): Promise<void> {
    const to = direction === 'to server' ? pair.far : pair.near
    const trouble = this.#trouble
    if (trouble.kind === 'swallow' && (trouble.direction === 'both' || trouble.direction === direction))
      pair.isMute = true
    if (pair.isMute) return
    if (trouble.kind === 'delay') await sleep(trouble.ms)
    if (trouble.kind !== 'drip') return write(to, bytes)
    for (let at = 0; at < bytes.length && this.#trouble === trouble; at += trouble.bytesPerSecond / 10) {
      write(to, bytes.subarray(at, at + trouble.bytesPerSecond / 10))
      await sleep(100)
      if (this.#trouble !== trouble) return write(to, bytes.subarray(at + trouble.bytesPerSecond / 10))
    }
  }
}

function write(to: Socket, bytes: Buffer): void {
  if (!to.destroyed) to.write(bytes)
}

function end({ near, far }: Pair): void {
  near.destroy()
  far.destroy()
}
