import { readFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { WebhookOptions } from '../../src/coordinator/webhook.ts'

export interface Received {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What it does with a message: a status to answer with, or silence. */
export type Reaction = number | 'silence'

export interface WebhookReceiver {
  readonly received: readonly Received[]
  /** Of the next messages, one each; the last one stays. */
  react(...reactions: readonly Reaction[]): void
  /** How a sender reaches it: a real https server on loopback, which no sender is allowed to reach by itself. */
  readonly options: WebhookOptions
  close(): Promise<void>
}

export const testSecret = `whsec_${Buffer.from('a secret of thirty-two bytes, ok').toString('base64')}`

export async function openWebhookReceiver(): Promise<WebhookReceiver> {
  const file = (name: string) =>
    readFile(fileURLToPath(new URL(`../fixtures/webhook/${name}`, import.meta.url)), 'utf8')
  const [key, cert] = await Promise.all([file('key.pem'), file('certificate.pem')])
  const received: Received[] = []
  let reactions: Reaction[] = [204]
  const server = createServer({ key, cert }, (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
      received.push({ headers, body: Buffer.concat(chunks).toString() })
      const [reaction = 204] = reactions
      if (reactions.length > 1) reactions = reactions.slice(1)
      if (reaction === 'silence') return
      // A sender that followed it would ask a server of somebody else's choice.
      response.writeHead(reaction, reaction === 302 ? { location: '/elsewhere' } : {}).end('as you say')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    received,
    react: (...next) => {
      reactions = [...next]
    },
    options: {
      url: `https://localhost:${port}/alarms/a-secret-path`,
      secret: testSecret,
      ca: cert,
      isAllowed: (address) => address === '127.0.0.1' || address === '::1',
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
