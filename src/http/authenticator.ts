import { bearerKey, type PresentedKey, parseKey } from '../security/keys.ts'
import { type Principal, trusted } from '../security/principal.ts'
import type { Database } from '../store/database.ts'
import { authenticateKey } from '../store/keys.ts'
import { withDeadline } from './deadline.ts'

/** A key that is revoked, expires or gets another secret is what it was for so long at the most. */
const cacheMs = 1000
/** Whoever sends ever other keys does not make the cache grow. */
const cachedAtMost = 1000

interface Cached {
  readonly principal: Promise<Principal>
  readonly atMs: number
}

/** Finds out who asks. The same key is looked up once a second, however many calls come with it. */
export class Authenticator {
  readonly #database: Database
  readonly #areKeysRequired: boolean
  readonly #cache = new Map<string, Cached>()

  constructor(database: Database, options: { readonly areKeysRequired: boolean }) {
    this.#database = database
    this.#areKeysRequired = options.areKeysRequired
  }

  /** By the header Authorization. Throws `unavailable`: nobody is let in because the database is away. */
  async authenticate(authorization: string | undefined): Promise<Principal> {
    if (!this.#areKeysRequired) return trusted
    const given = bearerKey(authorization)
    if (given === null) return { kind: 'nobody', why: 'missing', keyId: null }
    const key = parseKey(given)
    // What has not even the shape of a key costs no query.
    if (key === null) return { kind: 'nobody', why: 'unknown', keyId: null }
    return this.#find(key)
  }

  async #find(key: PresentedKey): Promise<Principal> {
    // Never the key itself: what is in memory for long is what the database has, too.
    const name = `${key.id} ${key.secretHash.toString('base64')}`
    const found = this.#cache.get(name)
    const nowMs = performance.now()
    if (found !== undefined && nowMs - found.atMs < cacheMs) return found.principal
    const principal = withDeadline(authenticateKey(this.#database, key))
    this.#cache.delete(name)
    this.#cache.set(name, { principal, atMs: nowMs })
    const [oldest] = this.#cache.keys()
    if (this.#cache.size > cachedAtMost && oldest !== undefined) this.#cache.delete(oldest)
    try {
      return await principal
    } catch (error) {
      this.#cache.delete(name)
      throw error
    }
  }
}
