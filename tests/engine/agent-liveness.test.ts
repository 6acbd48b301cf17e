import { beforeEach, describe, expect, test } from 'vitest'
import { waitFor } from '../support/wait-for.ts'
import { EngineWorld } from './engine-world.ts'

/** Until somebody waits for this session. */
async function waitForLock(world: EngineWorld, processId: number): Promise<void> {
  await waitFor(
    async () =>
      (await world.query('select from pg_stat_activity as a where $1 = any (pg_blocking_pids(a.pid))', [processId]))
        .length > 0,
    { what: 'somebody to wait for the row' },
  )
}

describe('agents', () => {
  let world: EngineWorld
  beforeEach(async () => {
    world = await EngineWorld.create()
  })

  const lost = () => world.query<{ agent_id: string; reason: string }>('select * from interlock.lost_agents()')
  const sweep = (agent: string) =>
    world.query<{ jobs_returned: number; reason: string | null }>('select * from interlock.sweep_agent($1)', [agent])

  test('sweep_agent gives the jobs of an agent back when its lease has ended, not before', async () => {
    await world.enqueue({ id: 'job', user: 'alice' })
    const [job] = await world.claim()
    await world.test.advanceClock(3599)
    expect(await lost()).toEqual([])
    expect(await sweep(world.agent)).toEqual([{ jobs_returned: 0, reason: null }])
    await world.test.advanceClock(2)
    expect(await lost()).toEqual([{ agent_id: world.agent, reason: 'its lease ended' }])
    expect(await sweep(world.agent)).toEqual([{ jobs_returned: 1, reason: 'its lease ended' }])
    const other = await world.register('other')
    const [again] = await world.claim(1, other)
    expect(again).toMatchObject({ job_id: 'job', attempt: 2 })
    expect(
      await world.query('select accepted, reason from interlock.complete_jobs($1, $2)', [['job'], [job?.token]]),
    ).toEqual([{ accepted: false, reason: 'stale_token' }])
    expect(
      await world.refusal('select * from interlock.heartbeat_agent($1, $2, $3)', [world.agent, [], []]),
    ).toMatchObject({ code: 'agent_not_active' })
  })

  test('a job that loses its agent at its last attempt fails for good, one asked to stop is cancelled', async () => {
    await world.enqueue({ id: 'last', max_attempts: 1 }, { id: 'stop' })
    await world.claim()
    await world.query(`select * from interlock.cancel_job('stop')`)
    await world.test.advanceClock(3601)
    await sweep(world.agent)
    expect([await world.status('last'), await world.status('stop')]).toEqual(['failed', 'cancelled'])
    expect(await world.query(`select error ->> 'code' as code from interlock.jobs where id = 'last'`)).toEqual([
      { code: 'agent_lost' },
    ])
  })

  test('a job that was lost before waits before it is tried again: whoever was lost beside it goes another way', async () => {
    await world.enqueue(
      { id: 'poison', max_attempts: 4, retry_delays_seconds: [10, 20] },
      { id: 'beside', user: 'bob' },
    )
    await world.claim(2)
    await world.test.advanceClock(3601)
    await sweep(world.agent)
    expect([await world.status('poison'), await world.status('beside')]).toEqual(['pending', 'pending'])
    const other = await world.register('other')
    await world.claim(2, other)
    await world.test.advanceClock(3601)
    await sweep(other)
    expect(
      await world.query(
        `select id, status, attempt, extract(epoch from run_at - interlock.clock())::int as wait from interlock.jobs order by id`,
      ),
    ).toEqual([
      { id: 'beside', status: 'scheduled', attempt: 2, wait: 180 },
      { id: 'poison', status: 'scheduled', attempt: 2, wait: 20 },
    ])
  })

  test('a liveness lock that is gone for three seconds ends the agent; one that came back does not', async () => {
    const agent = await world.register('live', { liveness: 'connection' })
    const connection = await world.test.database.connect()
    await connection.query(
      `select pg_advisory_lock(interlock.agent_lock_class(), (select incarnation from interlock.agent_stats where id = $1))`,
      [agent],
    )
    await world.test.advanceClock(60)
    expect(await lost()).toEqual([])
    await connection.query('select pg_advisory_unlock_all()')
    expect(await lost()).toEqual([])
    await world.test.advanceClock(2)
    expect(await lost()).toEqual([])
    await connection.query(
      `select pg_advisory_lock(interlock.agent_lock_class(), (select incarnation from interlock.agent_stats where id = $1))`,
      [agent],
    )
    expect(await lost()).toEqual([])
    await world.test.advanceClock(10)
    expect(await lost()).toEqual([])
    await connection.query('select pg_advisory_unlock_all()')
    expect(await lost()).toEqual([])
    for (let look = 0; look < 2; look += 1) {
      await world.test.advanceClock(1.4)
      expect(await lost()).toEqual([])
    }
    await world.test.advanceClock(1)
    expect(await lost()).toEqual([{ agent_id: agent, reason: 'its connection was lost' }])
    await connection.close()
  })

  test('a lock that was missed before it was taken says nothing, however busy its agent was at every look since', async () => {
    const agent = await world.register('live', { liveness: 'connection' })
    expect(await lost()).toEqual([])
    const connection = await world.test.database.connect()
    await connection.query(
      `select pg_advisory_lock(interlock.agent_lock_class(), (select incarnation from interlock.agent_stats where id = $1))`,
      [agent],
    )
    // As a mark that nobody had the time to take away.
    await world.test.advanceClock(3.5)
    const missed = await world.query(
      `update interlock.agent_stats set lock_missed_at = interlock.clock() where id = $1`,
      [agent],
    )
    expect(missed).toEqual([])
    const busy = await world.test.database.connect()
    await busy.query('begin')
    await busy.query('select from interlock.agent_stats where id = $1 for no key update', [agent])
    const looked = lost()
    await waitForLock(world, busy.processId)
    await busy.query('commit')
    expect(await looked).toEqual([])
    expect(await sweep(agent)).toEqual([{ jobs_returned: 0, reason: null }])
    expect(await world.query('select lock_missing_since from interlock.agent_stats where id = $1', [agent])).toEqual([
      { lock_missing_since: null },
    ])
    await Promise.all([busy.close(), connection.close()])
  })

  test('a lock that nobody looked for a while is given its time anew', async () => {
    const agent = await world.register('live', { liveness: 'connection' })
    expect(await lost()).toEqual([])
    await world.test.advanceClock(10)
    expect(await lost()).toEqual([])
    expect(await sweep(agent)).toEqual([{ jobs_returned: 0, reason: null }])
  })

  test('after a restart of the server a missing lock says nothing: the lease decides', async () => {
    const agent = await world.register('live', { liveness: 'connection' })
    await world.query(`update interlock.agent_stats set server_started_at = server_started_at - interval '1 hour'`)
    await lost()
    await world.test.advanceClock(60)
    expect(await lost()).toEqual([])
    await world.test.advanceClock(3600)
    expect((await lost()).map((row) => row.agent_id)).toContain(agent)
  })

  test('register_agent supersedes the former incarnation, whose jobs go back only after the time to kill them', async () => {
    await world.enqueue({ id: 'job', user: 'alice' })
    await world.claim()
    const next = await world.register('worker')
    expect(await world.refusal('select * from interlock.claim_jobs($1)', [world.agent])).toMatchObject({
      code: 'agent_not_active',
    })
    expect(await world.claimedIds(1, next)).toEqual([])
    expect(await lost()).toEqual([])
    await world.test.advanceClock(4)
    expect(await lost()).toEqual([{ agent_id: world.agent, reason: 'superseded by a new incarnation' }])
    await sweep(world.agent)
    expect(await world.claimedIds(1, next)).toEqual(['job'])
  })

  test('stuck_claims names an assignment that nobody confirmed, and a job that its agent does not list', async () => {
    await world.enqueue({ id: 'unconfirmed' }, { id: 'unlisted' })
    const jobs = await world.claim()
    const unlisted = jobs.find((job) => job.job_id === 'unlisted')
    if (unlisted === undefined) throw new Error('nothing was claimed')
    await world.start(unlisted)
    const beat = (ids: string[], tokens: number[]) =>
      world.query('select unknown_count from interlock.heartbeat_agent($1, $2, $3)', [world.agent, ids, tokens])
    // Started after the previous heartbeat: the list may have crossed the start.
    expect(await beat([], [])).toEqual([{ unknown_count: 0 }])
    await world.test.advanceClock(5)
    expect(await beat(['unlisted'], [unlisted.token])).toEqual([{ unknown_count: 0 }])
    expect(await beat([], [])).toEqual([{ unknown_count: 1 }])
    await world.test.advanceClock(6)
    const stuck = await world.query<{ job_id: string; reason: string }>(
      'select job_id, reason from interlock.stuck_claims() order by job_id',
    )
    expect(stuck).toEqual([
      { job_id: 'unconfirmed', reason: 'its start was not confirmed in time' },
      { job_id: 'unlisted', reason: 'its agent does not know it any more' },
    ])
  })

  test('drain_agent: it finishes what it holds and claims no more; end_agent returns the rest uncounted', async () => {
    await world.enqueue({ id: 'a' }, { id: 'b' }, { id: 'c' })
    const [a] = await world.claim(2)
    await world.query('select * from interlock.drain_agent($1)', [world.agent])
    if (a !== undefined) await world.complete(a)
    expect(await world.claimedIds()).toEqual([])
    expect(await world.query('select * from interlock.end_agent($1)', [world.agent])).toEqual([{ jobs_returned: 1 }])
    const other = await world.register('other')
    const jobs = await world.claim(10, other)
    expect(jobs.map(({ job_id, attempt }) => [job_id, attempt])).toEqual([
      ['b', 1],
      ['c', 1],
    ])
  })

  test('an agent that does not know a task of its queue is refused by name', async () => {
    await world.query(`select interlock.set_queue('default', '{"tasks": ["work", "render"]}')`)
    expect(await world.refusal(`select * from interlock.register_agent('small', '{default}', 1, '{work}')`)).toEqual({
      code: 'unknown_task',
      field: 'tasks',
    })
    expect(
      await world.refusal(`select * from interlock.enqueue_jobs('[{"task": "paint", "queue": "default"}]')`),
    ).toEqual({ code: 'unknown_task', field: 'task' })
  })
})
