import type pg from 'pg'

type Given = (error: Error | undefined, client: pg.PoolClient | undefined, release: pg.PoolClient['release']) => void

/**
 * The pool, with connections that may be given back twice; the second time says nothing. graphile-worker gives the one it
 * listens on back when it stops and once more when its LISTEN then fails; the pool throws at that where nobody can catch it.
 */
export function forgivingPool(pool: pg.Pool): pg.Pool {
  const connect = pool.connect.bind(pool)
  const give = (given: Given) =>
    connect((error, client) => {
      if (client === undefined) return given(error, undefined, () => undefined)
      const release = client.release.bind(client)
      let isReleased = false
      client.release = (broken) => {
        if (isReleased) return
        isReleased = true
        release(broken)
      }
      given(error, client, client.release)
    })
  const patient = () =>
    new Promise<pg.PoolClient>((resolve, reject) => {
      give((error, client) => (client === undefined ? reject(error) : resolve(client)))
    })
  pool.connect = ((given?: Given) => (given === undefined ? patient() : give(given))) as pg.Pool['connect']
  return pool
}
