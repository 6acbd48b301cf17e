import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { isInterlockError } from '../../src/domain/errors.ts'
import { Database } from '../../src/store/database.ts'
import { retryTransient } from '../../src/store/retry.ts'
import { Line } from '../support/line.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'
import { waitFor } from '../support/wait-for.ts'

let test: TestDatabase
const pools: Database[] = []

beforeAll(async () => {
  test = await createTestDatabase()
})

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.end()))
})

function open(
  options: { poolSize?: number; statementTimeoutSeconds?: number; onIdleError?: () => void } = {},
): Database {
  const pool = new Database({ url: test.url, applicationName: 'database.test', ...options })
  pools.push(pool)
  return pool
}

async function backendOf(queryable: { query: Database['query'] }): Promise<number> {
  const [row] = await queryable.query<{ pid: number }>('select pg_backend_pid() as pid')
  return row?.pid ?? 0
}

describe('query', () => {
  it('gives bigints as numbers, times as dates and json parsed', async () => {
    const [row] = await open().query(
      `select 7::bigint as number, array[1, null]::bigint[] as numbers, 9007199254740993::bigint as huge,
              '2026-01-02T03:04:05Z'::timestamptz as time, '{"a": [1]}'::jsonb as json`,
    )
    expect(row).toEqual({
      number: 7,
      numbers: [1, null],
      huge: '9007199254740993',
      time: new Date('2026-01-02T03:04:05Z'),
      json: { a: [1] },
    })
  })

  it('maps a SQLSTATE of class IL to its code, with field and hint', async () => {
    const failure = await open()
      .query(
        `do $$ begin
           raise exception using errcode = 'IL005', message = 'no such priority', column = 'priority', hint = 'Say 0 to 3.';
         end $$`,
      )
      .catch((error: unknown) => error)
    expect(failure).toMatchObject({
      code: 'invalid_argument',
      message: 'no such priority',
      field: 'priority',
      hint: 'Say 0 to 3.',
    })
  })

  it('keeps the connection when a statement is refused, since a refusal is an answer', async () => {
    const pool = open({ poolSize: 1 })
    const before = await backendOf(pool)
    await expect(pool.query('select 1 / 0')).rejects.toMatchObject({ code: 'internal' })
    expect(await backendOf(pool)).toBe(before)
  })

  it('says unavailable when a statement exceeds its limit', async () => {
    await expect(open({ statementTimeoutSeconds: 0.1 }).query('select pg_sleep(10)')).rejects.toMatchObject({
      code: 'unavailable',
    })
  })

  it('says schema_mismatch when a verb does not exist', async () => {
    await expect(open().query('select interlock.no_such_verb()')).rejects.toMatchObject({ code: 'schema_mismatch' })
  })
})

describe('a killed backend', () => {
  it('is replaced when it was idle; the process lives and the pool tells', async () => {
    let told = 0
    const pool = open({ poolSize: 1, onIdleError: () => (told += 1) })
    const before = await backendOf(pool)
    await test.query('select pg_terminate_backend($1)', [before])
    await waitFor(() => told > 0, { what: 'the pool to tell of the broken connection' })
    expect(await backendOf(pool)).not.toBe(before)
  })

  it('fails its own statement as unavailable, and the next one works', async () => {
    const pool = open({ poolSize: 1 })
    const before = await backendOf(pool)
    const sleeping = pool.query('select pg_sleep(60)').catch((error: unknown) => error)
    await waitFor(
      async () =>
        (await test.query(`select from pg_stat_activity where pid = $1 and state = 'active'`, [before])).length,
      { what: 'the statement to run' },
    )
    await test.query('select pg_terminate_backend($1)', [before])
    expect(isInterlockError(await sleeping, 'unavailable')).toBe(true)
    expect(await backendOf(pool)).not.toBe(before)
  })

  it('inside a transaction fails the transaction and not the process', async () => {
    const pool = open({ poolSize: 1 })
    const failure = await pool
      .transaction(async (transaction) => {
        await test.query('select pg_terminate_backend($1)', [await backendOf(transaction)])
        await waitFor(
          () =>
            transaction.query('select 1').then(
              () => false,
              () => true,
            ),
          { what: 'the loss to show' },
        )
        await transaction.query('select 1')
      })
      .catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'unavailable' })
    expect(await pool.query('select 1 as one')).toEqual([{ one: 1 }])
  })

  it('that a network swallowed is found by its deadline, and the idle ones are not asked one after the other', async () => {
    const line = await Line.lay(test.url)
    const pool = new Database({ url: line.urlOf(test.url), poolSize: 4, statementTimeoutSeconds: 0.5 })
    pools.push(pool)
    const former = await Promise.all(Array.from({ length: 4 }, () => backendOf(pool)))
    line.trouble({ kind: 'swallow', direction: 'both' })
    const lost = await pool.query('select 1').catch((error: unknown) => error)
    expect(lost).toMatchObject({ code: 'unavailable' })
    line.heal()
    const before = performance.now()
    const later = await Promise.all(Array.from({ length: 4 }, () => backendOf(pool)))
    expect(performance.now() - before).toBeLessThan(2000)
    expect(later.filter((pid) => former.includes(pid))).toEqual([])
    await pool.end()
    await line.close()
  })

  it('that is abandoned fails what waits on it, so that the pool can end', async () => {
    const pool = open({ statementTimeoutSeconds: 60 })
    const waiting = pool.query('select pg_sleep(60)').catch((error: unknown) => error)
    await waitFor(
      async () => {
        const rows = await test.query(`select from pg_stat_activity where query = 'select pg_sleep(60)'`)
        return rows.length === 1
      },
      { what: 'the statement to run' },
    )
    const ended = pool.end()
    pool.abandon()
    expect(await waiting).toMatchObject({ code: 'unavailable' })
    await ended
    await test.query(`select pg_terminate_backend(pid) from pg_stat_activity where query = 'select pg_sleep(60)'`)
  })

  it('aborts `lost` of a connection of its own', async () => {
    const connection = await open().connect()
    await test.query('select pg_terminate_backend($1)', [connection.processId])
    await waitFor(() => connection.lost.aborted, { what: 'the connection to be seen lost' })
    expect(connection.lost.reason).toMatchObject({ code: 'unavailable' })
    await expect(connection.query('select 1')).rejects.toMatchObject({ code: 'unavailable' })
    await connection.close()
  })
})

describe('transaction', () => {
  it('commits what the work did, and rolls back what it threw over', async () => {
    const pool = open()
    await test.query('create table kept (number int)')
    await pool.transaction((transaction) => transaction.query('insert into kept values (1)'))
    const thrown = new Error('changed my mind')
    await expect(
      pool.transaction(async (transaction) => {
        await transaction.query('insert into kept values (2)')
        throw thrown
      }),
    ).rejects.toBe(thrown)
    expect(await test.query('select number from kept')).toEqual([{ number: 1 }])
  })

  it('is not taken for committed when a swallowed error has rolled it back', async () => {
    const swallow = open().transaction(async (transaction) => {
      await transaction.query('select 1 / 0').catch(() => undefined)
    })
    await expect(swallow).rejects.toThrow('rolled back')
  })
})

describe('retryTransient', () => {
  it('repeats a deadlock until it is won, and leaves any other failure alone', async () => {
    const pool = open()
    let attempts = 0
    await retryTransient(async () => {
      attempts += 1
      if (attempts < 3) await pool.query(`do $$ begin raise exception using errcode = '40P01'; end $$`)
    })
    expect(attempts).toBe(3)
    await expect(
      retryTransient(() => {
        attempts += 1
        return pool.query('select 1 / 0')
      }),
    ).rejects.toMatchObject({ code: 'internal' })
    expect(attempts).toBe(4)
  })
})

describe('connect', () => {
  it('hands on the notifications of the channels that it listens to', async () => {
    const connection = await open().connect()
    const heard: string[] = []
    await connection.listen('interlock_test', (payload) => heard.push(payload))
    await test.query(`select pg_notify('interlock_test', 'hello')`)
    await waitFor(() => heard.length > 0, { what: 'the notification' })
    expect(heard).toEqual(['hello'])
    await connection.close()
  })
})
