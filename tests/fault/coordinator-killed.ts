import { expect } from 'vitest'
import { startCli } from '../cli/run-cli.ts'
import { type Claimed, TestAgent } from '../http/test-agent.ts'
import { type CutSide, Line } from '../support/line.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'
import { waitFor } from '../support/wait-for.ts'

/** Every verb that a coordinator calls in such a database: a test listens in, and says so if this is not the whole. */
export const verbs = [
  'absorb_touches',
  'agents_with_room',
  'away_requests',
  'claim_jobs',
  'collect_idle',
  'count_events',
  'due_rates',
  'due_schedules',
  'ensure_partitions',
  'expire_jobs',
  'expire_locks',
  'expire_requests',
  'lost_agents',
  'neglected_routes',
  'old_snapshots',
  'promote_due_jobs',
  'return_jobs',
  'settle_alarms',
  'settle_dependents',
  'stall_jobs',
  'stop_reserving',
  'stuck_claims',
  'sweep_agent',
  'unserved_reservers',
  'wake_patient_lanes',
] as const

/** What it says beside them: what graphile-worker says to fetch and to end a bell. */
export const otherStatements = ['with j_raw as', 'delete from "graphile_worker"._private_jobs'] as const

/** How all ends, whoever was killed at whatever. */
export const ends = {
  due: 'completed',
  expired: 'expired',
  gang: 'completed',
  lost: 'completed',
  'new-1': 'completed',
  'new-2': 'completed',
  stuck: 'completed',
} as const

/**
 * A database in which each verb of a coordinator has something to do: a job that is due, one that has expired, one of an
 * agent whose lease is over, one that nobody has confirmed, a lock whose owner is silent, a lane that reserves for nobody.
 */
export class Unattended {
  readonly test: TestDatabase
  /** The way of the coordinator under test to the server. */
  readonly line: Line
  readonly #worker: TestAgent

  static async create(): Promise<Unattended> {
    const test = await createTestDatabase({ clock: 'movable' })
    await test.query(`select interlock.set_queue('high', '{"patience_seconds": 0}')`)
    const silent = await TestAgent.register(test, { name: 'silent', slots: 1, queues: ['default'], leaseSeconds: 15 })
    await enqueue(test, { id: 'lost', user: 'ann' })
    await silent.claim()
    const slow = await TestAgent.register(test, { name: 'slow', slots: 1, queues: ['default'] })
    await enqueue(test, { id: 'stuck', user: 'bob', models: ['b'] })
    await slow.claimUnconfirmed()
    await test.query('select interlock.drain_agent($1)', [slow.id])
    const gone = await TestAgent.register(test, { name: 'gone', slots: 1, queues: ['high'] })
    await enqueue(test, { id: 'gang', queue: 'high', models: ['a', 'b'] })
    await gone.claim()
    await test.query('select interlock.end_agent($1, $2)', [gone.id, 'its machine is sold'])
    await enqueue(test, { id: 'expired', queue: 'low', ttl_seconds: 5 }, { id: 'due', user: 'cy', delay_seconds: 30 })
    const [lock] = await test.query<{ lock_id: string }>(
      `select lock_id from interlock.acquire_lock('{door:1}', 'cy', p_lease_seconds => 10)`,
    )
    await test.query('select interlock.poll_lock($1, $2)', [lock?.lock_id, 'cy'])
    await test.advanceClock(60)
    const worker = await TestAgent.register(test, { name: 'worker', slots: 4, queues: ['default'] })
    await enqueue(test, { id: 'new-1', user: 'ann' }, { id: 'new-2', user: 'ann' })
    return new Unattended(test, await Line.lay(test.url), worker)
  }

  private constructor(test: TestDatabase, line: Line, worker: TestAgent) {
    this.test = test
    this.line = line
    this.#worker = worker
  }

  /** Starts a coordinator that is killed with -9 as it says that: the server has not heard it, or has done it. */
  async kill(side: CutSide, statement: string): Promise<void> {
    const cli = await startCli(['serve', '--port', '0'], { env: { DATABASE_URL: this.line.urlOf(this.test.url) } })
    this.line.cutAtEnd(side, new RegExp(`\\b${statement}\\b`), () => cli.kill('SIGKILL'))
    const giveUp = setTimeout(() => cli.kill('SIGTERM'), 20_000)
    // What it does first sets off the rest, so the worker works meanwhile.
    const working = this.#work(() => !this.line.cutsAtEnd)
    const { code, stderr } = await cli.ended()
    clearTimeout(giveUp)
    await working
    if (code !== null) throw new Error(`the coordinator never said ${statement}, and ended with ${code}\n${stderr}`)
  }

  /** Lets a coordinator bring all to its end, another one by a way of its own unless it is named. */
  async attend(url = this.test.url): Promise<void> {
    const cli = await startCli(['serve', '--port', '0'], { env: { DATABASE_URL: url } })
    await this.#work(async () => !(await this.#isReserving()))
    const late = await TestAgent.register(this.test, { name: 'late', queues: ['high'] })
    await this.#work(() => this.#isOver(), late)
    cli.kill('SIGTERM')
    await cli.ended()
  }

  /** Jobs by name, with how each has ended. */
  async outcomes(): Promise<Readonly<Record<string, string>>> {
    const rows = await this.test.query<{ job_id: string; outcome: string }>(
      `select job_id, outcome from interlock.task_history where task <> 'lock' order by job_id collate "C"`,
    )
    return Object.fromEntries(rows.map(({ job_id, outcome }) => [job_id, outcome]))
  }

  /** Slots that are held or reserved: at the end none is. */
  taken(): Promise<readonly object[]> {
    return this.test.query(
      'select resource from interlock.job_queue_state where active_job_id is not null or reserved_lane_id is not null',
    )
  }

  /** Ends of jobs that the log tells more than once. */
  twice(): Promise<readonly object[]> {
    return this.test.query(
      `select job_id from interlock.job_queue_log
       where event_type in ('completed', 'expired') group by job_id having count(*) > 1`,
    )
  }

  async end(): Promise<void> {
    await this.line.close()
    await this.test.drop()
  }

  async #isReserving(): Promise<boolean> {
    return (await this.test.query('select from interlock.job_lanes where reserving')).length > 0
  }

  async #isOver(): Promise<boolean> {
    return (await this.test.query('select from interlock.jobs')).length === 0
  }

  async #work(isEnough: () => boolean | Promise<boolean>, ...more: readonly TestAgent[]): Promise<void> {
    const turn = async () => {
      for (const agent of [this.#worker, ...more]) {
        const jobs: readonly Claimed[] = await agent.assigned()
        await agent.confirm(jobs)
        for (const job of jobs) await agent.complete(job)
      }
      return isEnough()
    }
    await waitFor(turn, { what: 'the work to be done', timeoutMs: 25_000 })
  }
}

/** Kills one as it says that, has another one attend to the rest, and looks at what has become of it all. */
export async function killAndAttend(side: CutSide, statement: string): Promise<void> {
  const world = await Unattended.create()
  await world.kill(side, statement)
  await world.attend()
  expect(await world.outcomes()).toEqual(ends)
  expect(await world.taken()).toEqual([])
  expect(await world.twice()).toEqual([])
  await world.end()
}

async function enqueue(test: TestDatabase, ...jobs: readonly Readonly<Record<string, unknown>>[]): Promise<void> {
  await test.query('select interlock.enqueue_jobs($1)', [JSON.stringify(jobs.map((job) => ({ task: 'work', ...job })))])
}
