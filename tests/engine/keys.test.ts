import { beforeAll, describe, expect, test } from 'vitest'
import { waitFor } from '../support/wait-for.ts'
import { EngineWorld } from './engine-world.ts'

let world: EngineWorld
beforeAll(async () => {
  world = await EngineWorld.create({ clock: 'movable' })
})

const make = (id: string, scopes = '{read}', expires: number | null = null) =>
  world.query(`select interlock.create_key($1, $1, $2, sha256(convert_to($1, 'UTF8')), $3, 'ann')`, [
    id,
    scopes,
    expires,
  ])
const authenticate = async (id: string, secret = id) => {
  const [row] = await world.query<{ outcome: string; name: string | null; scopes: string[] | null }>(
    `select * from interlock.authenticate_key($1, sha256(convert_to($2, 'UTF8')))`,
    [id, secret],
  )
  return row
}
const outcome = async (id: string, secret = id) => (await authenticate(id, secret))?.outcome
const lastUse = async (id: string) =>
  (await world.query<{ last_used_at: Date | null }>('select last_used_at from interlock.keys where id = $1', [id]))[0]
    ?.last_used_at

describe('create_key', () => {
  test('keeps a hash and no secret, the scopes in their order, and the name for one key at a time', async () => {
    await make('keyofann', '{admin,read,read}')
    const [row] = await world.query(
      `select name, scopes, secret_hash = sha256('keyofann') as is_hash, created_by from interlock.api_keys where id = 'keyofann'`,
    )
    expect(row).toEqual({ name: 'keyofann', scopes: ['read', 'admin'], is_hash: true, created_by: 'ann' })
    const again = `select interlock.create_key('another0', 'keyofann', '{read}', sha256('x'))`
    expect(await world.refusal(again)).toEqual({ code: 'idempotency_conflict', field: 'name' })
    await world.query(`select interlock.revoke_key('keyofann')`)
    await world.query(again)
  })

  test.for([
    [`'SHORT', 'n', '{read}', sha256('x')`, 'id'],
    [`'plainkey', 'two words', '{read}', sha256('x')`, 'name'],
    [`'plainkey', 'n', '{}', sha256('x')`, 'scopes'],
    [`'plainkey', 'n', '{root}', sha256('x')`, 'scopes'],
    [`'plainkey', 'n', '{read}', 'secret'`, 'secret_hash'],
    [`'plainkey', 'n', '{read}', sha256('x'), 0`, 'expires_seconds'],
  ] as const)('refuses (%s) by naming %s', async ([call, field]) => {
    expect(await world.refusal(`select interlock.create_key(${call})`)).toEqual({ code: 'invalid_argument', field })
  })
})

describe('authenticate_key', () => {
  test('knows a good key, and says of a wrong secret what it says of a key that nobody has', async () => {
    await make('goodkey0')
    expect(await authenticate('goodkey0')).toEqual({ outcome: 'valid', name: 'goodkey0', scopes: ['read'] })
    const nothing = { outcome: 'unknown', name: null, scopes: null }
    expect(await authenticate('goodkey0', 'guess')).toEqual(nothing)
    expect(await authenticate('nobody00', 'guess')).toEqual(nothing)
    // The digest that an unknown key is compared with opens nothing.
    const [row] = await world.query(
      `select outcome from interlock.authenticate_key('nobody00', decode(repeat('00', 32), 'hex'))`,
    )
    expect(row).toEqual({ outcome: 'unknown' })
  })

  test('an expired or revoked key is told so to who knows its secret, and to nobody else', async () => {
    await make('briefkey', '{read}', 60)
    await world.test.advanceClock(61)
    expect([await outcome('briefkey'), await outcome('briefkey', 'guess')]).toEqual(['expired', 'unknown'])
    await world.query(`select interlock.revoke_key('briefkey')`)
    expect([await outcome('briefkey'), await outcome('briefkey', 'guess')]).toEqual(['revoked', 'unknown'])
  })

  test('notes the last use once a minute', async () => {
    await make('busykey0')
    await outcome('busykey0')
    const first = await lastUse('busykey0')
    expect(first).toBeInstanceOf(Date)
    await world.test.advanceClock(30)
    await outcome('busykey0')
    expect(await lastUse('busykey0')).toEqual(first)
    await world.test.advanceClock(31)
    await outcome('busykey0', 'guess')
    expect(await lastUse('busykey0')).toEqual(first)
    await outcome('busykey0')
    expect((await lastUse('busykey0'))?.getTime()).toBeGreaterThan(first?.getTime() ?? 0)
  })

  test('waits for nobody: not for one that holds the row of the key', async () => {
    await make('heldkey0')
    const other = await world.test.database.connect()
    try {
      await other.query('begin')
      await other.query(`select interlock.lock_api_key('heldkey0')`)
      expect(await outcome('heldkey0')).toBe('valid')
      expect(await lastUse('heldkey0')).toBeNull()
    } finally {
      await other.close()
    }
  })
})

describe('rotate_key', () => {
  const rotate = (id: string, secret: string, overlap: number) =>
    world.query(`select interlock.rotate_key($1, sha256(convert_to($2, 'UTF8')), $3)`, [id, secret, overlap])

  test('leaves the former secret good for the overlap, and the one before that for nothing', async () => {
    await make('turnkey0')
    await rotate('turnkey0', 'second', 600)
    expect([await outcome('turnkey0'), await outcome('turnkey0', 'second')]).toEqual(['valid', 'valid'])
    await rotate('turnkey0', 'third', 600)
    expect(await outcome('turnkey0')).toBe('unknown')
    expect([await outcome('turnkey0', 'second'), await outcome('turnkey0', 'third')]).toEqual(['valid', 'valid'])
    await world.test.advanceClock(601)
    expect([await outcome('turnkey0', 'second'), await outcome('turnkey0', 'third')]).toEqual(['expired', 'valid'])
  })

  test('gives the former secret no longer than it had', async () => {
    await make('endskey0', '{read}', 100)
    await world.query(`select interlock.rotate_key('endskey0', sha256('second'), 600, 10000)`)
    await world.test.advanceClock(101)
    expect([await outcome('endskey0'), await outcome('endskey0', 'second')]).toEqual(['expired', 'valid'])
  })

  test('refuses a revoked key, one that has expired without a new end, and one that nobody has', async () => {
    await make('deadkey0', '{read}', 1)
    await world.test.advanceClock(2)
    const call = (id: string, rest = '') => `select interlock.rotate_key('${id}', sha256('x')${rest})`
    expect(await world.refusal(call('deadkey0'))).toEqual({ code: 'illegal_transition', field: null })
    await world.query(call('deadkey0', ', 60, 60'))
    // The secret that had expired is not good again for the overlap.
    expect([await outcome('deadkey0'), await outcome('deadkey0', 'x')]).toEqual(['expired', 'valid'])
    await world.query(`select interlock.revoke_key('deadkey0')`)
    expect(await world.refusal(call('deadkey0', ', 60, 60'))).toEqual({ code: 'illegal_transition', field: null })
    expect(await world.refusal(call('nobody00'))).toEqual({ code: 'key_not_found', field: 'id' })
  })

  test('against revoke_key on the same key: whoever comes second waits, and a revoked key gets no secret', async () => {
    await make('racekey0')
    const [first, second] = [await world.test.database.connect(), await world.test.database.connect()]
    try {
      await first.query('begin')
      await first.query(`select interlock.revoke_key('racekey0')`)
      const rotating = second
        .query(`select interlock.rotate_key('racekey0', sha256('x'))`)
        .catch((error: unknown) => error)
      await waitFor(
        async () =>
          (
            await world.query(`select from pg_stat_activity where pid = $1 and wait_event_type = 'Lock'`, [
              second.processId,
            ])
          ).length === 1,
        { what: 'rotate_key to wait' },
      )
      await first.query('commit')
      expect(await rotating).toMatchObject({ code: 'illegal_transition' })
      expect([await outcome('racekey0'), await outcome('racekey0', 'x')]).toEqual(['revoked', 'unknown'])
    } finally {
      await first.close()
      await second.close()
    }
  })
})

describe('audit_log', () => {
  test('has a line of each change of a key in its own transaction: none of one that was refused', async () => {
    await make('tellkey0')
    await world.refusal(`select interlock.create_key('tellkey1', 'tellkey0', '{read}', sha256('x'))`)
    await world.query(`select interlock.rotate_key('tellkey0', sha256('x'), 0, null, 'bob', 'keyofbob0', 'r7')`)
    await world.query(`select interlock.revoke_key('tellkey0', 'it has leaked')`)
    await world.query(`select interlock.revoke_key('tellkey0', 'again')`)
    const lines = await world.query(
      `select operation, actor, key_id, reason, request_id from interlock.audit_log where subject like 'tellkey%' order by id`,
    )
    const [{ user = '' } = {}] = await world.query<{ user: string }>('select session_user as user')
    expect(lines).toEqual([
      { operation: 'create_key', actor: 'ann', key_id: null, reason: 'tellkey0: read', request_id: null },
      { operation: 'rotate_key', actor: 'bob', key_id: 'keyofbob0', reason: 'tellkey0', request_id: 'r7' },
      { operation: 'revoke_key', actor: user, key_id: null, reason: 'it has leaked', request_id: null },
    ])
  })

  test('is partitioned by month, and old months leave with the history', async () => {
    await world.query(`select interlock.ensure_partitions('audit_log')`)
    await make('oldkey00')
    const partitions = async () =>
      (
        await world.query<{ name: string }>(
          `select c.relname as name from pg_inherits as i join pg_class as c on c.oid = i.inhrelid
           where i.inhparent = 'interlock.audit_log'::regclass and c.relname ~ '_[0-9]{6}$' order by 1`,
        )
      ).map(({ name }) => name)
    const before = await partitions()
    expect(before.length).toBeGreaterThan(0)
    expect(await world.query(`select from interlock.audit_log_default`)).toEqual([])
    await world.test.advanceClock(500 * 86_400)
    // One table a transaction: the history's own turn may come first.
    await world.query('select * from interlock.prune_history()')
    await world.query('select * from interlock.prune_history()')
    expect((await partitions()).filter((name) => before.includes(name))).toEqual([])
    expect(await world.query(`select from interlock.audit_log where subject = 'oldkey00'`)).toEqual([])
  })
})
