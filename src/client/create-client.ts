import { InterlockError } from '../domain/errors.ts'
import type { BorrowedPool } from '../store/borrowed.ts'
import { Client } from './client.ts'
import type { Transport } from './transport.ts'

export type ClientOptions = HttpOptions | PoolOptions

interface CommonOptions {
  /** In whose name things are done, for the log. */
  readonly actor?: string
}

/** By way of a coordinator. */
export interface HttpOptions extends CommonOptions {
  /** `http://127.0.0.1:7400` */
  readonly url: string | URL
  /** An API key, `il_...`. */
  readonly key?: string
  readonly pool?: undefined
}

/** Straight in the database, without any coordinator between; it runs wherever it will. */
export interface PoolOptions extends CommonOptions {
  /** A Pool of pg, which stays yours. */
  readonly pool: BorrowedPool
  readonly url?: undefined
  readonly key?: undefined
}

/** A client of a queue. It connects when it is first used, and loads only what its way there needs. */
export function createClient(options: ClientOptions): Client {
  const actor = options.actor ?? null
  let transport: Promise<Transport> | null = null
  const load = chooseTransport(options, actor)
  return new Client({
    actor,
    transport() {
      transport ??= load()
      return transport
    },
  })
}

function chooseTransport(options: ClientOptions, actor: string | null): () => Promise<Transport> {
  const { pool, url, key } = options
  if (pool !== undefined && url === undefined) {
    return async () => (await import('./pool-transport.ts')).createPoolTransport({ pool, actor })
  }
  if (url === undefined || pool !== undefined) throw refuse('needs one of url and pool')
  if (!/^https?:/.test(String(url)) || !URL.canParse(url))
    throw refuse('needs a url that begins with http:// or https://')
  return async () => (await import('./http-transport.ts')).createHttpTransport({ url: String(url), key, actor })
}

function refuse(what: string): InterlockError {
  return new InterlockError('invalid_argument', `createClient ${what}`, {
    field: 'url',
    hint: "createClient({ url: 'http://127.0.0.1:7400' }), or createClient({ pool: new pg.Pool(...) }).",
  })
}
