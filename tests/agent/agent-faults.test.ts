import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Database } from '../../src/store/database.ts'
import { waitFor } from '../support/wait-for.ts'
import { AgentWorld } from './agent-world.ts'
import { isAlive, stateOf } from './marked-processes.ts'

const shell = (script: string) => ({ command: ['sh', '-c', script] })

let world: AgentWorld
let folder: string

beforeEach(async () => {
  world = await AgentWorld.create()
  folder = await mkdtemp(join(tmpdir(), 'interlock-agent-'))
})

afterEach(async () => {
  await world.close()
  await rm(folder, { recursive: true })
})

/**
 * Writes down who lives, deaf to SIGTERM, with a child that is deaf too; and on the next attempt, before anything else,
 * which of the former processes live still. The first attempt never ends; later ones do.
 */
function witness() {
  const script = `trap "" TERM
    cd ${folder}
    if [ -e pids ]; then
      while read pid; do [ -e /proc/$pid/stat ] && ! grep -q ') Z' /proc/$pid/stat && echo $pid >> overlap; done < pids
      echo '{"attempt":2}'; exit 0
    fi
    sh -c 'trap "" TERM; echo $$ >> pids; while :; do sleep 0.1; done' &
    setsid sh -c 'trap "" TERM; echo $$ >> pids; while :; do sleep 0.1; done' &
    echo $$ >> pids
    while [ $(wc -l < pids) -lt 3 ]; do sleep 0.01; done
    echo ready
    while :; do sleep 0.1; done`
  return shell(script)
}

/** Null: no process of the first attempt lived when the second began. */
async function overlap(): Promise<string | null> {
  return readFile(join(folder, 'overlap'), 'utf8').catch(() => null)
}

describe('an agent that is killed with -9', () => {
  it('loses its job to another one within 5 s; its former processes were gone before, its old token is refused', async () => {
    const one = await world.startAgentProcess({ name: 'one', tasks: { work: witness() } })
    const job = await world.enqueue({ task: 'work', user: 'alice' })
    await world.untilReady(job)
    const two = await world.startAgent({ name: 'two', tasks: { work: witness() } })
    const before = performance.now()
    one.kill('SIGKILL')
    await waitFor(async () => (await world.timelineOf(job)).filter((event) => event === 'started').length === 2, {
      what: 'the job to run elsewhere',
    })
    const elapsed = performance.now() - before
    await world.untilStatus(job, 'completed')
    expect(await overlap()).toBeNull()
    expect(elapsed).toBeLessThan(5000)
    const timeline = await world.timelineOf(job)
    expect(timeline).toEqual(['enqueued', 'assigned', 'started', 'lost', 'assigned', 'started', 'completed'])
    expect((await world.eventsOf(job)).at(-1)?.agent).toBe(two.id)
    expect(isAlive(one.keeperPid)).toBe(false)
    const old = (await world.eventsOf(job)).find(({ event }) => event === 'assigned')?.token
    const late = await world.test.query(
      'select accepted, reason from interlock.complete_jobs($1::text[], $2::bigint[])',
      [[job], [old]],
    )
    expect(late).toEqual([{ accepted: false, reason: 'stale_token' }])
  })
})

describe('an agent that is known to live by its lease alone', () => {
  it('is notified of its work; killed with -9 it loses its job when the lease is over', async () => {
    const settings = { tasks: { work: witness() }, leaseSeconds: 3, liveness: 'lease' } as const
    const one = await world.startAgentProcess({ ...settings, name: 'one' })
    const job = await world.enqueue({ task: 'work' })
    await world.untilReady(job)
    await world.startAgent({ ...settings, name: 'two' })
    one.kill('SIGKILL')
    await waitFor(() => world.processes().length === 0, { what: 'its processes to be gone', timeoutMs: 2000 })
    expect(await world.statusOf(job)).toBe('running')
    await world.untilStatus(job, 'completed')
    expect(await overlap()).toBeNull()
  })
})

describe('an agent that stands still past its lease', () => {
  it('loses its job, whose processes its keeper has ended, and comes back as a new incarnation', async () => {
    const one = await world.startAgentProcess({ name: 'one', tasks: { work: witness() }, leaseSeconds: 3 })
    const job = await world.enqueue({ task: 'work', user: 'alice' })
    await world.untilReady(job)
    process.kill(one.pid, 'SIGSTOP')
    await waitFor(() => stateOf(one.pid) === 'T', { what: 'the agent to stand still' })
    const two = await world.startAgent({ name: 'two', tasks: { work: witness() } })
    await world.untilStatus(job, 'completed')
    expect(await overlap()).toBeNull()
    expect((await world.eventsOf(job)).at(-1)?.agent).toBe(two.id)
    process.kill(one.pid, 'SIGCONT')
    await waitFor(() => one.log.filter(({ message }) => message === 'agent registered').length === 2, {
      what: 'it to register anew',
    })
    expect(one.log.some(({ message }) => message === 'job is not ours any more')).toBe(true)
    expect((await world.eventsOf(job)).at(-1)).toMatchObject({ event: 'completed', agent: two.id })
  })
})

describe('an agent whose incarnation was given up behind its back', () => {
  it('ends its jobs, registers anew and takes work again', async () => {
    const agent = await world.startAgent({ tasks: { work: witness() } })
    const former = agent.id
    const job = await world.enqueue({ task: 'work' })
    await world.untilReady(job)
    await world.test.query('select interlock.end_agent($1, $2)', [former, 'a test'])
    await world.untilStatus(job, 'completed')
    expect(await overlap()).toBeNull()
    expect(agent.id).not.toBe(former)
  })

  it('stands by while another process goes by its name, and comes back when that has gone', async () => {
    const one = await world.startAgent({ name: 'same', tasks: { work: shell('sleep 0.1') } })
    const two = await world.startAgentProcess({ name: 'same', tasks: { work: shell('sleep 0.1') } })
    await waitFor(() => world.log.some(({ message }) => message.includes('stands by')), {
      what: 'the first to stand by',
    })
    expect(one.id).toBeNull()
    const job = await world.enqueue({ task: 'work' })
    await world.untilStatus(job, 'completed')
    expect((await world.eventsOf(job)).at(-1)?.agent).toBe(two.agentId)
    two.kill('SIGTERM')
    await two.exit
    await waitFor(() => one.id !== null, { what: 'the first to come back' })
  })
})

describe('a token that is not the one any more', () => {
  it('stops the process at once, and nothing of it is accepted', async () => {
    await world.startAgent({ tasks: { work: shell('echo ready; while :; do echo more; sleep 0.05; done') } })
    const job = await world.enqueue({ task: 'work' })
    await world.untilReady(job)
    const [pid] = world.processes().map((process) => process.pid)
    const token = (await world.eventsOf(job)).findLast(({ event }) => event === 'started')?.token
    await world.test.query(`select interlock.set_queue('default', '{"is_paused":true}')`)
    await world.test.query('select interlock.return_jobs($1::text[], $2::bigint[], $3)', [[job], [token], 'taken away'])
    await waitFor(() => !isAlive(pid ?? 0), { what: 'its process to be gone', timeoutMs: 3000 })
    await waitFor(() => world.log.some(({ message }) => message === 'job is not ours any more'), {
      what: 'the agent to say so',
    })
    expect(await world.statusOf(job)).toBe('pending')
  })
})

describe('an agent whose connections are cut', () => {
  it('goes on through a cut every 300 ms: no job is lost, none runs twice', async () => {
    const agent = await world.startAgent({ tasks: { work: shell('sleep 0.5; echo "{}"') }, slots: 4 })
    const { id } = agent
    const jobs = await Promise.all(Array.from({ length: 16 }, (_, n) => world.enqueue({ task: 'work', user: `u${n}` })))
    const admin = new Database({ url: adminUrl(), poolSize: 1 })
    const cutting = setInterval(
      () =>
        void admin
          .query(
            `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and application_name like 'interlock%'`,
            [world.test.name],
          )
          .catch(() => undefined),
      300,
    )
    for (const job of jobs) await world.untilStatus(job, 'completed', 20_000)
    clearInterval(cutting)
    await admin.end()
    for (const job of jobs) {
      expect(await world.timelineOf(job)).toEqual(['enqueued', 'assigned', 'started', 'completed'])
    }
    expect(agent.id).toBe(id)
  })

  it('stops its jobs when it cannot take its lock back, before they are given away', async () => {
    await world.startAgent({ tasks: { work: witness() } })
    const job = await world.enqueue({ task: 'work' })
    await world.untilReady(job)
    const admin = new Database({ url: adminUrl(), poolSize: 1 })
    try {
      // The test's own pool keeps its connections; nobody gets a new one.
      await admin.query(`alter database ${world.test.name} allow_connections false`)
      await admin.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and application_name like 'interlock%'`,
        [world.test.name],
      )
      const before = performance.now()
      await waitFor(() => world.processes().length === 0, { what: 'its processes to be gone', timeoutMs: 5000 })
      expect(performance.now() - before).toBeLessThan(3000)
      await sleep(100)
    } finally {
      await admin.query(`alter database ${world.test.name} allow_connections true`)
      await admin.end()
    }
    await world.untilStatus(job, 'completed', 15_000)
    expect(await overlap()).toBeNull()
  })
})

describe('an agent whose keeper is killed', () => {
  it('ends the job, starts another keeper and tries again', async () => {
    const agent = await world.startAgent({ tasks: { work: witness() } })
    const job = await world.enqueue({ task: 'work', max_attempts: 3 })
    await world.untilReady(job)
    process.kill(agent.keeperPid ?? 0, 'SIGKILL')
    await world.untilStatus(job, 'completed')
    expect(await overlap()).toBeNull()
    const timeline = await world.timelineOf(job)
    expect(timeline.slice(0, 4)).toEqual(['enqueued', 'assigned', 'started', 'retried'])
  })
})

function adminUrl(): string {
  const url = new URL(world.test.url)
  url.pathname = '/postgres'
  return url.href
}
