import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Client, createClient } from '../../src/client/entry.ts'
import { openHttpDoor } from '../http/http-door.ts'
import { waitFor } from '../support/wait-for.ts'
import { openTwoWays, type TwoWays, ways } from './two-ways.ts'

let world: TwoWays
beforeAll(async () => {
  world = await openTwoWays()
})
afterAll(() => world.close())

const holders = (resource: string) =>
  world.test.query<{ owner: string; lease_until: Date }>(
    'select owner, lease_until from interlock.locks where resource = $1',
    [resource],
  )

const inLine = (resource: string) =>
  world.test.query(`select id from interlock.jobs where status = 'pending' and resources @> array[$1]`, [resource])

describe.each(ways)('hold() over %s', (way) => {
  let client: Client
  beforeAll(() => {
    client = world.clients[way]
  })

  it('holds for the length of a block, by the rules that jobs follow, and lets go at its end', async () => {
    const user = `alice-${way}`
    {
      await using lock = await client.hold(`user:${user}`, { reason: 'by hand' })
      expect(lock.fences).toEqual({ [`user:${user}`]: lock.token })
      expect(await holders(`user:${user}`)).toMatchObject([{ owner: 'ann' }])
      await client.enqueue('work', {}, { id: `hers-${way}`, user })
      expect(await world.agent.claim()).toEqual([])
      expect(lock.signal.aborted).toBe(false)
    }
    expect(await holders(`user:${user}`)).toEqual([])
    expect((await world.agent.claimOne()).job_id).toBe(`hers-${way}`)
  })

  it('waits its turn, and gives up after its wait with what stood in its way', async () => {
    const resource = `repository:site-${way}`
    const first = await client.hold([resource, `model:flux-${way}`])
    await expect(client.hold(resource, { wait_seconds: 0 })).rejects.toMatchObject({ code: 'not_held' })
    const second = client.hold(resource, { owner: 'bob', wait_seconds: 30 })
    await waitFor(async () => (await inLine(resource)).length === 1, { what: 'bob to stand in line' })
    await first.release()
    await first.release()
    await using held = await second
    expect(held.token).toBeGreaterThan(first.token)
    expect(first.signal.aborted).toBe(false)
  })

  it('leaves the line when its signal says so', async () => {
    const resource = `repository:left-${way}`
    await using _first = await client.hold(resource)
    const leaving = new AbortController()
    const second = client.hold(resource, { owner: 'bob', wait_seconds: 60, signal: leaving.signal })
    await waitFor(async () => (await inLine(resource)).length === 1, { what: 'bob to stand in line' })
    leaving.abort(new Error('enough'))
    await expect(second).rejects.toThrow('enough')
    await waitFor(async () => (await inLine(resource)).length === 0, { what: 'bob to have left' })
  })

  it('extends itself while it is held', async () => {
    const resource = `repository:long-${way}`
    await using _lock = await client.hold(resource, { lease_seconds: 1 })
    const [{ lease_until: before } = { lease_until: new Date(0) }] = await holders(resource)
    await waitFor(async () => ((await holders(resource))[0]?.lease_until ?? before) > before, {
      what: 'a longer lease',
    })
  })

  it('tells when somebody took it away, and its end goes by without an error', async () => {
    const resource = `repository:taken-${way}`
    await using lock = await client.hold(resource, { lease_seconds: 1 })
    await world.test.query('select interlock.release_lock($1, null, $2)', [lock.id, 'it is needed'])
    await waitFor(() => lock.signal.aborted, { what: 'the lock to be known as lost' })
    expect(lock.signal.reason).toMatchObject({ name: 'InterlockError', code: 'stale_token' })
    expect(String(lock.signal.reason)).toContain(`the lock on ${resource} was lost`)
  })
})

describe('hold()', () => {
  it('tells before the lease is over when nobody answers', async () => {
    const door = await openHttpDoor(world.test)
    const client = createClient({ url: door.url })
    const lock = await client.hold('repository:alone', { lease_seconds: 4 })
    await door.server.stop()
    await waitFor(() => lock.signal.aborted, { what: 'the lock to be known as lost' })
    const [row] = await world.test.query(
      `select lease_until > interlock.clock() as is_ours from interlock.locks where resource = 'repository:alone'`,
    )
    expect(row).toEqual({ is_ours: true })
    await expect(lock.release()).rejects.toMatchObject({ code: 'unavailable' })
    await lock[Symbol.asyncDispose]()
    await client.close()
    await world.test.query('select interlock.release_lock($1)', [lock.id])
  })
})
