import { Contention } from '../../src/domain/contention.ts'
import type { Database } from '../../src/store/database.ts'

export interface DrainOptions {
  readonly jobs: number
  readonly users: number
  readonly models: number
  readonly claimers: number
  readonly batch: number
  readonly seed: number
}

export interface DrainResult {
  readonly completed: number
  readonly seconds: number
  readonly jobsPerSecond: number
  readonly enqueuedPerSecond: number
  readonly claimCalls: number
  readonly claimMsMedian: number
  readonly claimMsP99: number
  readonly walBytesPerJob: number
  /** Jobs completed in each tenth of the run: a plan that degrades shows as a falling row. */
  readonly tenths: readonly number[]
}

/** Jobs of random users and models, enqueued in batches, then claimed and completed by several claimers until none is left. */
export async function drain(database: Database, options: DrainOptions, signal?: AbortSignal): Promise<DrainResult> {
  const random = randomFrom(options.seed)
  const enqueueStarted = performance.now()
  for (let from = 0; from < options.jobs; from += 1000) {
    const jobs = Array.from({ length: Math.min(1000, options.jobs - from) }, () => ({
      task: 'bench',
      user: `u${Math.floor(random() * options.users)}`,
      models: [`m${Math.floor(random() * options.models)}`],
      queue: 'default',
    }))
    await database.query('select count(*) from interlock.enqueue_jobs($1)', [JSON.stringify(jobs)])
  }
  const enqueueSeconds = (performance.now() - enqueueStarted) / 1000
  // What enqueueing has left to do for autovacuum and the checkpointer is done now, not beside what is measured.
  await database.query('vacuum analyze')
  await database.query('checkpoint')
  const wal = await walPosition(database)

  let completed = 0
  const claimMs: number[] = []
  const finishedAt: number[] = []
  const started = performance.now()
  const claimer = async (number: number): Promise<void> => {
    const [agent] = await database.query<{ agent_id: string }>(
      `select agent_id from interlock.register_agent($1, '{default}', $2, p_lease_seconds => 3600)`,
      [`bench${number}`, options.batch],
    )
    if (agent === undefined) throw new Error('the agent was not registered')
    const contention = new Contention()
    let due: readonly string[] = []
    while (completed < options.jobs && signal?.aborted !== true) {
      await database.query('select * from interlock.absorb_touches(1000)', [], 'absorb')
      const begin = performance.now()
      const [lone, ...later] = due
      due = later
      const [claim] =
        lone === undefined
          ? await database.query<Claim>(
              'select * from interlock.claim_jobs($1, null, $2)',
              [agent.agent_id, options.batch],
              'claim',
            )
          : await database.query<Claim>('select * from interlock.claim_lane($1, $2)', [agent.agent_id, lone])
      claimMs.push(performance.now() - begin)
      if (claim === undefined) throw new Error('a claim returned nothing')
      if (lone === undefined) due = contention.note(claim.contended)
      if (claim.jobs.length === 0) {
        if (!claim.more) await new Promise((resolve) => setTimeout(resolve, 2))
        continue
      }
      const done = await database.query<{ accepted: boolean }>(
        'select * from interlock.complete_jobs($1, $2, null)',
        [claim.jobs.map((job) => job.job_id), claim.jobs.map((job) => job.token)],
        'complete',
      )
      const accepted = done.filter((row) => row.accepted).length
      if (accepted !== claim.jobs.length) throw new Error('a completion was refused')
      completed += accepted
      finishedAt.push(...Array.from({ length: accepted }, () => performance.now() - started))
    }
  }
  await Promise.all(Array.from({ length: options.claimers }, (_, number) => claimer(number)))
  const seconds = (performance.now() - started) / 1000
  claimMs.sort((a, b) => a - b)
  return {
    completed,
    seconds,
    jobsPerSecond: completed / seconds,
    enqueuedPerSecond: options.jobs / enqueueSeconds,
    claimCalls: claimMs.length,
    claimMsMedian: claimMs[Math.floor(claimMs.length / 2)] ?? 0,
    claimMsP99: claimMs[Math.floor(claimMs.length * 0.99)] ?? 0,
    walBytesPerJob: (await walPosition(database)) - wal > 0 ? ((await walPosition(database)) - wal) / completed : 0,
    tenths: Array.from(
      { length: 10 },
      (_, tenth) => finishedAt.filter((ms) => Math.min(9, Math.floor((ms / 1000 / seconds) * 10)) === tenth).length,
    ),
  }
}

interface Claim {
  readonly jobs: readonly { readonly job_id: string; readonly token: number }[]
  readonly contended: readonly string[]
  readonly more: boolean
}

async function walPosition(database: Database): Promise<number> {
  const [row] = await database.query<{ bytes: string }>(
    `select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::text as bytes`,
  )
  return Number(row?.bytes ?? 0)
}

/** A small generator of random numbers from a seed (mulberry32), so that a printed seed brings the run back. */
export function randomFrom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
