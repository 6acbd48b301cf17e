import { lookup } from 'node:dns/promises'
import { request } from 'node:https'
import { isIP } from 'node:net'
import { Webhook as Signer } from 'standardwebhooks'
import { isPublicAddress } from './public-address.ts'

/** Where messages go, and what they are signed with. */
export interface WebhookTarget {
  readonly url: string
  /** As Standard Webhooks writes it: whsec_ and base64. */
  readonly secret: string
}

export interface WebhookMessage {
  /** The same when it is sent again. */
  readonly id: string
  readonly type: string
  readonly at: Date
  readonly data: Readonly<Record<string, unknown>>
}

export interface WebhookOptions extends WebhookTarget {
  /** Which addresses may be connected to; those of the open internet unless another rule is given. */
  readonly isAllowed?: (address: string) => boolean
  /** Certificates that are trusted besides the well-known ones. */
  readonly ca?: string
  /** For resolving, connecting, sending and the answer's first line together; 10 unless set. */
  readonly deadlineSeconds?: number
}

/**
 * Sends signed messages by https, as standardwebhooks.com has it: webhook-id, webhook-timestamp, and webhook-signature,
 * an HMAC-SHA256 over both and the body.
 *
 * The name is resolved here, every address that it has is checked, and the connection goes to one of those: a name that
 * is asked a second time when the socket connects may answer something else (DNS rebinding). Redirects are not followed.
 */
export class Webhook {
  readonly #options: WebhookOptions
  readonly #url: URL
  readonly #signer: Signer

  constructor(options: WebhookOptions) {
    this.#options = Object.freeze({ ...options })
    this.#url = new URL(options.url)
    this.#signer = new Signer(options.secret)
  }

  /** Null when it arrived; else why not, in words that hold neither the URL's path nor the secret. */
  async send(message: WebhookMessage, signal: AbortSignal): Promise<string | null> {
    const deadline = AbortSignal.timeout((this.#options.deadlineSeconds ?? 10) * 1000)
    try {
      const status = await this.#post(message, AbortSignal.any([signal, deadline]))
      return status >= 200 && status < 300 ? null : `the receiver answered ${status}`
    } catch (error) {
      if (deadline.aborted) return 'the receiver did not answer in time'
      return error instanceof Error ? error.message : String(error)
    }
  }

  async #post({ id, type, at, data }: WebhookMessage, signal: AbortSignal): Promise<number> {
    if (this.#url.protocol !== 'https:') throw new Error('a webhook is sent by https only')
    const [address] = await this.#checkedAddresses(signal)
    if (address === undefined) throw new Error(`${this.#url.hostname} has no address`)
    const body = JSON.stringify({ type, timestamp: at.toISOString(), data })
    const sentAt = new Date()
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    const sent = request(
      this.#url,
      {
        method: 'POST',
        // No pool: a connection that is kept was checked for another message.
        agent: false,
        signal,
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'user-agent': 'interlock',
          'webhook-id': id,
          'webhook-timestamp': Math.floor(sentAt.getTime() / 1000),
          'webhook-signature': this.#signer.sign(id, sentAt, body),
        },
        lookup: (_hostname, { all }, callback) => {
          const family = isIP(address)
          if (all === true) callback(null, [{ address, family }])
          else callback(null, address, family)
        },
        ...(this.#options.ca === undefined ? {} : { ca: this.#options.ca }),
      },
      (response) => {
        resolve(response.statusCode ?? 0)
        // What it says besides is nobody's business, and might never end.
        response.destroy()
      },
    )
    sent.on('error', reject)
    sent.end(body)
    return promise
  }

  async #checkedAddresses(signal: AbortSignal): Promise<readonly string[]> {
    const hostname = this.#url.hostname.replace(/^\[|\]$/g, '')
    const { promise: aborted, reject } = Promise.withResolvers<never>()
    const abort = () => reject(new Error('stopped'))
    signal.addEventListener('abort', abort, { once: true })
    aborted.catch(() => undefined)
    try {
      const found =
        isIP(hostname) === 0
          ? (await Promise.race([lookup(hostname, { all: true }), aborted])).map(({ address }) => address)
          : [hostname]
      const isAllowed = this.#options.isAllowed ?? isPublicAddress
      // One that is not public spoils the name: which of them a connection would take is chance.
      if (!found.every(isAllowed)) throw new Error(`${hostname} is not a public address`)
      return found
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }
}
