import { expect, test } from 'vitest'
import { defaultRetention, Pruner } from '../../src/coordinator/pruner.ts'
import { createSilentLogger } from '../../src/observability/logger.ts'
import { Connection } from '../../src/store/connection.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'

/** Ten million unless it says otherwise, in five days that are over. */
const rowCount = Number(process.env.INTERLOCK_TEST_LOG_ROWS ?? 10_000_000)
const dayCount = 5
const atOnce = 100_000

/** Days that are past the retention, each with its partition and its share of the rows. */
async function fill(db: TestDatabase): Promise<void> {
  for (let day = 0; day < dayCount; day++) {
    const [range] = await db.query<{ name: string; from: string; to: string }>(
      `select 'job_queue_log' || to_char(d at time zone 'UTC', '_YYYYMMDD') as name, d::text as "from", (d + interval '1 day')::text as "to"
       from (select date_trunc('day', interlock.clock(), 'UTC') - (20 - $1) * interval '1 day' as d) as u`,
      [day],
    )
    await db.query(
      `create table interlock.${range?.name} partition of interlock.job_queue_log for values from ('${range?.from}') to ('${range?.to}')`,
    )
    for (let done = 0, share = rowCount / dayCount; done < share; done += atOnce) {
      await db.query(
        `insert into interlock.job_queue_log (created_at, event_type, job_id, job_type, from_status, to_status, token, agent_id, resources)
         select $1::timestamptz + n * interval '1 millisecond', 'completed', 'old-' || n, 'normal', 'running', 'completed', n, 'vm.1', '{user:alice,model:flux}'
         from generate_series(1, $2) as n`,
        [range?.from, Math.min(atOnce, share - done)],
      )
    }
  }
}

interface Size {
  readonly bytes: number
  readonly rows: number
  readonly dead: number
  readonly partitions: number
}

async function sizeOfLog(db: TestDatabase): Promise<Size> {
  const [size] = await db.query<Size>(
    `select sum(pg_total_relation_size(i.inhrelid))::bigint as bytes, coalesce(sum(s.n_dead_tup), 0)::bigint as dead,
       count(*)::int as partitions, (select count(*) from interlock.job_queue_log where job_id like 'old-%') as rows
     from pg_inherits as i
     left join pg_stat_all_tables as s on s.relid = i.inhrelid
     where i.inhparent = 'interlock.job_queue_log'::regclass`,
  )
  if (size === undefined) throw new Error('no log')
  return size
}

/** Enqueues one after the other until it is told to stop; resolves with its slowest and its median, in ms. */
async function write(
  db: TestDatabase,
  signal: AbortSignal,
): Promise<{ slowest: number; median: number; jobs: number }> {
  const connection = await Connection.open({ url: db.url, applicationName: 'tests: a writer' })
  const times: number[] = []
  try {
    while (!signal.aborted) {
      const start = performance.now()
      await connection.query(`select interlock.enqueue_jobs('[{"task": "work"}]')`)
      times.push(performance.now() - start)
    }
  } finally {
    await connection.close()
  }
  times.sort((a, b) => a - b)
  return { slowest: times.at(-1) ?? 0, median: times[times.length >> 1] ?? 0, jobs: times.length }
}

test(`pruning ${rowCount} rows of the log takes seconds, blocks nobody, and leaves no bloat`, async () => {
  const db = await createTestDatabase()
  await db.query(`select interlock.ensure_partitions('job_queue_log')`)
  const empty = await sizeOfLog(db)
  await fill(db)
  const full = await sizeOfLog(db)
  expect(full).toMatchObject({ rows: rowCount, partitions: empty.partitions + dayCount })

  const stop = new AbortController()
  const writers = [write(db, stop.signal), write(db, stop.signal)]
  const start = performance.now()
  const pruned = await new Pruner(db.database, defaultRetention, createSilentLogger()).prune()
  const seconds = (performance.now() - start) / 1000
  stop.abort()
  const written = await Promise.all(writers)
  const after = await sizeOfLog(db)
  const jobs = written.reduce((sum, { jobs: count }) => sum + count, 0)
  process.stdout.write(
    `${JSON.stringify({ rows: rowCount, mib: Math.round(full.bytes / 2 ** 20), prune_seconds: seconds, writers: written })}\n`,
  )

  expect(pruned).toMatchObject({ partitions: dayCount, is_held_up: false })
  expect(after).toMatchObject({ rows: 0, partitions: empty.partitions, dead: 0 })
  // Nothing is left but what the writers wrote meanwhile: a line each, of less than half a KiB with its indexes.
  expect(after.bytes - empty.bytes).toBeLessThan(jobs * 512 + 2 ** 20)
  expect(seconds).toBeLessThan(10)
  for (const { slowest } of written) expect(slowest).toBeLessThan(1000)
})
