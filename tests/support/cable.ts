import { connect, createServer, type Server, type Socket } from 'node:net'
import type { TestDatabase } from './test-database.ts'

/** A way to the database that can be cut (connections end) or plugged (bytes are swallowed). */
export class Cable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #isPlugged = false
  url = ''

  constructor(target: string) {
    const { hostname, port } = new URL(target)
    this.#server = createServer((near) => {
      const far = connect(Number(port), hostname)
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from)
        from.on('data', (bytes) => {
          if (!this.#isPlugged) to.write(bytes)
        })
        from.on('error', () => undefined)
        from.on('close', () => to.destroy())
      }
    })
  }

  static async lay(test: TestDatabase): Promise<Cable> {
    const cable = new Cable(test.url)
    await new Promise<void>((resolve) => cable.#server.listen(0, '127.0.0.1', resolve))
    const url = new URL(test.url)
    url.host = `127.0.0.1:${(cable.#server.address() as { port: number }).port}`
    cable.url = url.href
    return cable
  }

  plug(): void {
    this.#isPlugged = true
  }

  /** Bytes pass again: for what is opened from now on, since the others have lost some. */
  unplug(): void {
    this.#isPlugged = false
  }

  /** Lays it again where it was. */
  async mend(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(Number(new URL(this.url).port), '127.0.0.1', resolve))
  }

  async cut(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }
}
