import { beforeAll, describe, expect, test } from 'vitest'
import { checkHistoryQuestion, type HistoryRow, summaryKeys } from '../../src/domain/history-summary.ts'
import { Connection } from '../../src/store/connection.ts'
import { readHistorySummary } from '../../src/store/history-summary.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'

interface Ended {
  readonly outcome: string
  readonly task: string
  readonly user: string | null
  readonly project: string | null
  readonly queue: string
  readonly resources: readonly string[]
  readonly agent: string | null
  readonly attempts: number
  readonly queuedAt: number
  readonly assignedAt: number | null
  readonly startedAt: number | null
  readonly finishedAt: number
}

const hourMs = 3600_000
const origin = Date.parse('2026-10-20T00:00:00Z')
const rowCount = 3000

/** The same history each time: a generator of random numbers of our own. */
function generate(): readonly Ended[] {
  let state = 42
  const random = () => {
    state = (state * 1664525 + 1013904223) % 2 ** 32
    return state / 2 ** 32
  }
  const pick = <Value>(...values: readonly Value[]): Value => values[Math.floor(random() * values.length)] as Value
  return Array.from({ length: rowCount }, () => {
    const outcome = pick('completed', 'completed', 'completed', 'failed', 'cancelled', 'expired', 'deleted')
    const wasStarted = outcome === 'completed' || outcome === 'failed' || random() < 0.3
    // Twenty days across the end of a month: two partitions.
    const finishedAt = origin + Math.floor(random() * 20 * 24 * hourMs)
    const startedAt = wasStarted ? finishedAt - Math.floor(random() * hourMs) : null
    const assignedAt = startedAt === null ? null : startedAt - Math.floor(random() * 1000)
    const user = pick('alice', 'bob', null)
    const models = pick([], ['flux'], ['flux', 'motion'], ['aura'])
    return {
      outcome,
      task: pick('render', 'edit', 'test'),
      user,
      project: pick('site', null),
      queue: pick('default', 'high', 'locks'),
      resources: [...(user === null ? [] : [`user:${user}`]), ...models.map((model) => `model:${model}`)],
      agent: wasStarted ? `${pick('vm', 'box.one')}.${1 + Math.floor(random() * 3)}` : null,
      attempts: wasStarted ? pick(1, 1, 2) : 0,
      queuedAt: (assignedAt ?? finishedAt) - Math.floor(random() * hourMs),
      assignedAt,
      startedAt,
      finishedAt,
    }
  })
}

const history = generate()
let db: TestDatabase
beforeAll(async () => {
  db = await createTestDatabase()
  await db.query(
    `create table interlock.task_history_202610 partition of interlock.task_history
     for values from ('2026-10-01T00:00:00Z') to ('2026-11-01T00:00:00Z')`,
  )
  await db.query(
    `insert into interlock.task_history (job_id, outcome, task, kind, user_name, project, queue, priority, resources, agent_id,
       attempts, created_at, queued_at, assigned_at, started_at, finished_at)
     select 'j' || n, e ->> 'outcome', e ->> 'task', 'normal', e ->> 'user', e ->> 'project', e ->> 'queue', 2,
       array(select jsonb_array_elements_text(e -> 'resources')), e ->> 'agent', (e ->> 'attempts')::int,
       t.queued, t.queued, to_timestamp((e ->> 'assignedAt')::numeric / 1000), to_timestamp((e ->> 'startedAt')::numeric / 1000),
       to_timestamp((e ->> 'finishedAt')::numeric / 1000)
     from jsonb_array_elements($1::jsonb) with ordinality as u (e, n)
     cross join lateral (select to_timestamp((e ->> 'queuedAt')::numeric / 1000) as queued) as t`,
    [JSON.stringify(history)],
  )
})

type By = (typeof summaryKeys)[number]

function keysOf(ended: Ended, by: By): readonly (string | null)[] {
  const bucket = (ms: number) => `${new Date(Math.floor(ended.finishedAt / ms) * ms).toISOString().slice(0, 19)}Z`
  switch (by) {
    case 'model': {
      const models = ended.resources.filter((r) => r.startsWith('model:')).map((r) => r.slice(6))
      return models.length === 0 ? [null] : models
    }
    case 'agent':
      return [ended.agent?.replace(/\.\d+$/, '') ?? null]
    case 'hour':
      return [bucket(hourMs)]
    case 'day':
      return [bucket(24 * hourMs)]
    default:
      return [ended[by]]
  }
}

/** By hand, from the definition: sorted, and a line drawn between the two that are next to the place. */
function statistics(values: readonly (number | null)[]) {
  const sorted = values.filter((value) => value !== null).toSorted((a, b) => a - b)
  const at = (share: number): number | null => {
    const place = share * (sorted.length - 1)
    const [low, high] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]]
    return low === undefined || high === undefined ? null : low + (high - low) * (place % 1)
  }
  const sum = sorted.reduce((total, value) => total + value, 0)
  return { avg: sorted.length === 0 ? null : sum / sorted.length, p50: at(0.5), p95: at(0.95), max: at(1), sum }
}

function bruteForce(by: By, since: number, until: number, filter: Partial<Ended>): ReadonlyMap<string, HistoryRow> {
  const groups = new Map<string, Ended[]>()
  for (const ended of history) {
    const isIn = ended.finishedAt >= since && ended.finishedAt < until && ended.queue !== 'locks'
    const fits = Object.entries(filter).every(([name, value]) => ended[name as keyof Ended] === value)
    if (!isIn || !fits) continue
    for (const key of keysOf(ended, by)) groups.set(String(key), [...(groups.get(String(key)) ?? []), ended])
  }
  const hours = by === 'hour' ? 1 : by === 'day' ? 24 : (until - since) / hourMs
  const seconds = (to: number | null, from: number | null) => (to === null || from === null ? null : (to - from) / 1000)
  return new Map(
    [...groups].map(([key, rows]) => {
      const count = (outcome: string) => rows.filter((row) => row.outcome === outcome).length
      const wait = statistics(rows.map((row) => (row.attempts === 1 ? seconds(row.assignedAt, row.queuedAt) : null)))
      const ran = statistics(
        rows.map((row) =>
          row.outcome === 'completed' || row.outcome === 'failed' ? seconds(row.finishedAt, row.startedAt) : null,
        ),
      )
      return [
        key,
        {
          key: key === 'null' ? null : key,
          ended: rows.length,
          completed: count('completed'),
          failed: count('failed'),
          cancelled: count('cancelled'),
          expired: count('expired'),
          deleted: count('deleted'),
          completed_per_hour: count('completed') / hours,
          avg_wait_seconds: wait.avg,
          p50_wait_seconds: wait.p50,
          p95_wait_seconds: wait.p95,
          max_wait_seconds: wait.max,
          avg_run_seconds: ran.avg,
          p50_run_seconds: ran.p50,
          p95_run_seconds: ran.p95,
          max_run_seconds: ran.max,
          total_run_seconds: ran.sum,
          avg_attempts: rows.reduce((sum, row) => sum + row.attempts, 0) / rows.length,
        },
      ]
    }),
  )
}

/** Sums of thousands differ in their last digits by the order of adding. */
function nearly(row: HistoryRow | undefined): unknown {
  const entries = Object.entries(row ?? {})
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === 'number' ? expect.closeTo(value, 4) : value]),
  )
}

describe('history_summary', () => {
  const ranges = [
    [origin, origin + 20 * 24 * hourMs, {}],
    [origin + 5 * hourMs + 1234, origin + 30 * hourMs, { task: 'render' }],
    [origin + 11 * 24 * hourMs, origin + 14 * 24 * hourMs, { user: 'alice', queue: 'high' }],
    [origin + 3 * 24 * hourMs, origin + 19 * 24 * hourMs, { project: 'site' }],
  ] as const

  test.each(summaryKeys)('by %s says what counting by hand says, in every range and filter', async (by) => {
    for (const [since, until, filter] of ranges) {
      const { rows } = await readHistorySummary(
        db.database,
        checkHistoryQuestion({
          by,
          since: new Date(since).toISOString(),
          until: new Date(until).toISOString(),
          limit: 1000,
          ...filter,
        }),
      )
      const expected = bruteForce(by, since, until, filter)
      expect(rows.length).toBe(expected.size)
      expect(rows.length).toBeGreaterThan(0)
      for (const row of rows) expect(row).toEqual(nearly(expected.get(String(row.key))))
      const order = rows.map((row) => (by === 'hour' || by === 'day' ? String(row.key) : -row.ended))
      expect(order).toEqual(order.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)))
    }
  })

  test('cuts what is too long and says so', async () => {
    const question = checkHistoryQuestion({
      by: 'hour',
      since: '2026-10-20T00:00:00Z',
      until: '2026-10-30T00:00:00Z',
      limit: 3,
    })
    const { rows, is_truncated: isCut } = await readHistorySummary(db.database, question)
    expect([rows.length, isCut]).toEqual([3, true])
  })

  test('the views are its last day', async () => {
    await db.query(
      `insert into interlock.task_history (job_id, outcome, task, kind, user_name, queue, priority, resources, agent_id, attempts,
         created_at, queued_at, assigned_at, started_at, finished_at)
       select 'now', 'completed', 'fresh', 'normal', 'zoe', 'default', 2, '{user:zoe,model:new}', 'vm.7', 1, t, t, t + interval '2 s',
         t + interval '2 s', t + interval '5 s'
       from (select interlock.clock() - interval '1 minute' as t) as n`,
    )
    for (const [by, key] of [
      ['task', 'fresh'],
      ['user_name', 'zoe'],
      ['model', 'new'],
      ['agent', 'vm'],
    ]) {
      const [row] = await db.query(
        `select v.ended, v.avg_wait_seconds, v.avg_run_seconds from interlock.history_by_${by === 'user_name' ? 'user' : by} as v where v.${by} = $1`,
        [key],
      )
      expect(row).toEqual({ ended: 1, avg_wait_seconds: 2, avg_run_seconds: 3 })
    }
    expect(await db.query('select hour, ended from interlock.history_by_hour')).toHaveLength(1)
  })

  test('reads the months of its range alone, and in them the range by its index', async () => {
    // Enough rows that a scan of the whole partition would be dearer than the index.
    await db.query(
      `insert into interlock.task_history (job_id, outcome, task, kind, queue, priority, resources, attempts, created_at, finished_at)
       select 'bulk' || n, 'expired', 'bulk', 'normal', 'default', 2, '{}', 0, t, t
       from generate_series(1, 20000) as n
       cross join lateral (select timestamptz '2026-10-01T00:00:00Z' + n * interval '1 minute' as t) as u`,
    )
    await db.query('vacuum analyze interlock.task_history')
    const connection = await Connection.open({ url: db.url, applicationName: 'tests: a question' })
    try {
      await connection.query('begin')
      const [answer] = await connection.query(
        `select sum(s.ended)::int as ended
         from interlock.history_summary('task', '2026-10-03T00:00:00Z', '2026-10-03T06:00:00Z') as s`,
      )
      expect(answer).toEqual({ ended: 360 })
      const scans = await connection.query(
        `select relname, seq_scan, idx_scan, idx_tup_fetch from pg_stat_xact_user_tables
         where relname like 'task_history_%' and seq_scan + coalesce(idx_scan, 0) > 0`,
      )
      // The DEFAULT partition may hold anything; it is asked by its index, too.
      expect(scans).toContainEqual({ relname: 'task_history_202610', seq_scan: 0, idx_scan: 1, idx_tup_fetch: 360 })
      for (const { relname } of scans) expect(['task_history_202610', 'task_history_default']).toContain(relname)
    } finally {
      await connection.close()
    }
  })

  test.each([
    [`'colour'`, 'by'],
    ['null', 'by'],
    [`'task', '2026-10-02', '2026-10-01'`, 'since'],
    [`'task', '2020-10-02', '2026-10-01'`, 'since'],
    [`'task', p_limit => 0`, 'limit'],
  ])('refuses %s by name', async (parameters, field) => {
    await expect(db.query(`select interlock.history_summary(${parameters})`)).rejects.toMatchObject({
      code: 'invalid_argument',
      field,
    })
  })
})
