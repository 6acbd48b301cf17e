import { hkdfSync } from 'node:crypto'
import { InterlockError } from '../domain/errors.ts'

/** A key of the ring: its name, which is no secret, and what is derived from it. */
export interface RingKey {
  readonly id: string
  readonly encryption: Buffer
  readonly nonce: Buffer
}

export const ringShape =
  /^\s*[a-z0-9][a-z0-9-]{0,31}:[A-Za-z0-9+/]{43}=([\s,]+[a-z0-9][a-z0-9-]{0,31}:[A-Za-z0-9+/]{43}=)*\s*$/

/**
 * The keys that payloads are encrypted with: the first writes, the others read what was written before. One never leaves
 * the ring before everything was written anew (`interlock payloads reencrypt`).
 */
export class KeyRing {
  readonly current: RingKey
  readonly #keys: ReadonlyMap<string, RingKey>

  private constructor(keys: readonly [RingKey, ...RingKey[]]) {
    this.current = keys[0]
    this.#keys = new Map(keys.map((key) => [key.id, key]))
  }

  /** `name:base64,name:base64`, by commas or lines; each 32 bytes, as `openssl rand -base64 32` makes them. */
  static parse(text: string): KeyRing {
    const entries = text.split(/[\s,]+/).filter((entry) => entry !== '')
    const [first, ...others] = entries.map(toKey)
    const names = new Set(entries.map((entry) => entry.split(':')[0]))
    if (!ringShape.test(text) || first === undefined || names.size < entries.length) {
      throw new InterlockError(
        'invalid_argument',
        'the encryption keys are not a list of name:base64 with 32 bytes each',
        {
          field: 'security.encryption_keys',
          hint: 'Make one with: echo "k1:$(openssl rand -base64 32)"',
        },
      )
    }
    return new KeyRing([first, ...others])
  }

  find(id: string): RingKey | null {
    return this.#keys.get(id) ?? null
  }
}

function toKey(entry: string): RingKey {
  const [id = '', secret = ''] = entry.split(':')
  const derive = (use: string) => Buffer.from(hkdfSync('sha256', Buffer.from(secret, 'base64'), '', use, 32))
  // Two uses, two keys: what makes the nonces must say nothing of what encrypts.
  return { id, encryption: derive('interlock payload encryption'), nonce: derive('interlock payload nonce') }
}
