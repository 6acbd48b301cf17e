import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export type Direction = 'to server' | 'to client' | 'both'

/** What a line does with the bytes that come to it. */
export type Trouble =
  | { readonly kind: 'none' }
  | { readonly kind: 'swallow'; readonly direction: Direction }
  | { readonly kind: 'delay'; readonly ms: number; readonly direction?: Direction }
  | { readonly kind: 'drip'; readonly bytesPerSecond: number; readonly direction?: Direction }

/** Whether the server has heard of what is then cut: the one that asked cannot know. */
export type CutSide = 'before the server' | 'after the server'

interface Pair {
  readonly near: Socket
  readonly far: Socket
  /** It has lost bytes: what comes after a gap would be another conversation. */
  isMute: boolean
  /** The server has said something that was not passed on. */
  onSwallowed: () => void
  isListening: boolean
}

const answerMsMax = 1000

/** What ends a transaction: COMMIT itself, or a verb that is one by itself, bound by the name of its statement. */
const ending = /commit|enqueue|complete_jobs|start_jobs|fail_job|claim_jobs/i

/**
 * A way to a server over TCP that can be put in trouble: cut, mute, slow, one byte at a time, or cut exactly where a
 * transaction ends. It knows enough of Postgres' protocol to see that, and passes everything on unread otherwise.
 */
export class Line {
  readonly #server: Server
  readonly #pairs = new Set<Pair>()
  #target: { readonly host: string; readonly port: number }
  #trouble: Trouble = { kind: 'none' }
  #cutAtEnd: { readonly side: CutSide; readonly what: RegExp; readonly then: () => void } | null = null
  #hear: (text: string) => void = () => undefined
  #port = 0
  #muting: RegExp | null = null
  #refusal: { readonly state: string; readonly pattern: RegExp; readonly times: number } | null = null
  readonly #refused = new Map<string, number>()

  private constructor(target: { readonly host: string; readonly port: number }) {
    this.#target = target
    this.#server = createServer((near) => this.#carry(near))
  }

  /** To the server of this URL. */
  static async lay(url: string): Promise<Line> {
    const line = new Line(targetOf(url))
    await line.#listen(0)
    return line
  }

  /** The same database, by way of this line. */
  urlOf(url: string): string {
    const changed = new URL(url)
    changed.host = `127.0.0.1:${this.#port}`
    return changed.href
  }

  /** Cuts what is open; what is opened next leads to the server of this URL, as an address that moved. */
  leadTo(url: string): void {
    this.#target = targetOf(url)
    this.cut()
  }

  /** Connections on which nothing comes or goes any more. */
  get mutes(): number {
    return [...this.#pairs].filter(({ isMute }) => isMute).length
  }

  get connections(): number {
    return this.#pairs.size
  }

  /** What is open ends at once; what is opened next is carried again. */
  cut(): void {
    for (const pair of this.#pairs) end(pair)
  }

  /** Tells what is said to the server, as bytes read as text. */
  listenIn(hear: (text: string) => void): void {
    this.#hear = hear
  }

  /**
   * The next transaction that ends on this line is cut there, once; of these verbs only, where they are named. `then` is
   * called before anybody can notice.
   */
  cutAtEnd(side: CutSide, what: RegExp = ending, then: () => void = () => undefined): void {
    this.#cutAtEnd = { side, what, then }
  }

  /** Whether the cut that was asked for is still to come. */
  get cutsAtEnd(): boolean {
    return this.#cutAtEnd !== null
  }

  /** Statements that call one of these verbs are refused with this SQLSTATE, each so many times; the server hears nothing of them. */
  refuse(state: string, verbs: readonly string[], times: number): void {
    this.#refusal = { state, pattern: new RegExp(`\\b(?:${verbs.join('|')})\\b`), times }
    this.#refused.clear()
  }

  /** How often each verb has been refused. */
  get refused(): ReadonlyMap<string, number> {
    return this.#refused
  }

  trouble(trouble: Trouble): void {
    this.#trouble = trouble
  }

  /** Nothing comes or goes any more on the connections that have asked to be notified; nobody is told. */
  muteListening(): void {
    for (const pair of this.#pairs) if (pair.isListening) pair.isMute = true
  }

  /** The server hears the next statement like this one; on its connection nothing comes or goes from then on. */
  muteAfter(statement: RegExp): void {
    this.#muting = statement
  }

  /** As good as new for what is opened next. A connection that lost bytes stays mute, as one that a router has forgotten. */
  heal(): void {
    this.#trouble = { kind: 'none' }
    this.#cutAtEnd = null
    this.#refusal = null
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
    const pair: Pair = { near, far, isMute: false, isListening: false, onSwallowed: () => undefined }
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
        if (direction === 'to server') this.#hear(bytes.toString('latin1'))
        if (direction === 'to server' && !pair.isListening)
          pair.isListening = /\blisten\b/i.test(bytes.toString('latin1'))
        if (direction === 'to server' && this.#cutAtEnd?.what.test(bytes.toString('latin1')) === true) {
          await this.#cutHere(pair, bytes)
          return
        }
        if (direction === 'to server' && this.#refuses(bytes, pair)) continue
        await this.#deliver(bytes, pair, direction)
        if (direction === 'to server' && this.#muting?.test(bytes.toString('latin1')) === true) {
          this.#muting = null
          pair.isMute = true
        }
      }
      to.end()
    } catch {
      end(pair)
    }
  }

  #refuses(bytes: Buffer, { near }: Pair): boolean {
    if (this.#refusal === null) return false
    const { state, pattern, times } = this.#refusal
    const [verb] = pattern.exec(bytes.toString('latin1')) ?? []
    const before = this.#refused.get(verb ?? '') ?? 0
    if (verb === undefined || before >= times) return false
    this.#refused.set(verb, before + 1)
    write(near, refusalOf(state, `refused ${verb}`))
    return true
  }

  async #cutHere(pair: Pair, bytes: Buffer): Promise<void> {
    const cut = this.#cutAtEnd
    this.#cutAtEnd = null
    if (cut?.side === 'after the server') {
      // It has answered, so it has committed, or refused; nobody is told either way.
      const answered = new Promise<void>((resolve) => {
        pair.onSwallowed = resolve
      })
      pair.isMute = true
      pair.far.write(bytes)
      await Promise.race([answered, sleep(answerMsMax)])
    }
    cut?.then()
    end(pair)
  }

  async #deliver(bytes: Buffer, pair: Pair, direction: Direction): Promise<void> {
    const to = direction === 'to server' ? pair.far : pair.near
    const trouble = this.#trouble
    if (trouble.kind === 'swallow' && (trouble.direction === 'both' || trouble.direction === direction))
      pair.isMute = true
    if (pair.isMute) {
      if (direction === 'to client') pair.onSwallowed()
      return
    }
    const isHere = 'direction' in trouble && trouble.direction !== 'both' ? trouble.direction === direction : true
    if (trouble.kind === 'delay' && isHere) await sleep(trouble.ms)
    if (trouble.kind !== 'drip' || !isHere) return write(to, bytes)
    for (let at = 0; at < bytes.length && this.#trouble === trouble; at += trouble.bytesPerSecond / 10) {
      write(to, bytes.subarray(at, at + trouble.bytesPerSecond / 10))
      await sleep(100)
      if (this.#trouble !== trouble) return write(to, bytes.subarray(at + trouble.bytesPerSecond / 10))
    }
  }
}

function targetOf(url: string): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(url)
  return { host: hostname, port: Number(port) }
}

/** ErrorResponse and ReadyForQuery, as the server says them to a statement outside of a transaction. */
function refusalOf(state: string, message: string): Buffer {
  const fields = Buffer.from(`SERROR\0VERROR\0C${state}\0M${message}\0\0`)
  const length = Buffer.alloc(4)
  length.writeInt32BE(fields.length + 4)
  return Buffer.concat([Buffer.from('E'), length, fields, Buffer.from('Z\0\0\0\x05I', 'latin1')])
}

function write(to: Socket, bytes: Buffer): void {
  if (!to.destroyed) to.write(bytes)
}

function end({ near, far }: Pair): void {
  near.destroy()
  far.destroy()
}
