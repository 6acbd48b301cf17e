import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect } from 'vitest'
import { type AgentProcess, type AgentWorld, testInWorld as it } from '../agent/agent-world.ts'
import { isAlive, stateOf } from '../agent/marked-processes.ts'
import { waitFor } from '../support/wait-for.ts'

const blocker = new URL('../fixtures/fault/block-event-loop.ts', import.meta.url).href
const leaseSeconds = 3
const folders: string[] = []

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

/**
 * The first attempt writes down who it is, goes deaf to SIGTERM, and talks for ever; the next one says which of its
 * processes live still, before anything else.
 */
function talkative() {
  const folder = mkdtempSync(join(tmpdir(), 'interlock-frozen-'))
  folders.push(folder)
  const script = `trap "" TERM; cd ${folder}
    if [ -e pids ]; then
      while read pid; do [ -e /proc/$pid/stat ] && ! grep -q ') Z' /proc/$pid/stat && echo $pid >> overlap; done < pids
      echo second; sleep 2; echo '{"attempt":2}'; exit 0
    fi
    setsid sh -c 'trap "" TERM; echo $$ >> pids; while :; do sleep 0.1; done' &
    echo $$ >> pids
    while [ $(wc -l < pids) -lt 2 ]; do sleep 0.01; done
    echo ready
    while :; do echo late; echo "::interlock progress 50 late"; sleep 0.05; done`
  const read = (name: string) => {
    try {
      return readFileSync(join(folder, name), 'utf8').trim().split('\n').map(Number)
    } catch {
      return []
    }
  }
  return {
    tasks: { talk: { command: ['sh', '-c', script] } },
    pids: () => read('pids'),
    overlap: () => read('overlap'),
  }
}

/** Every verb of a holder, with the token that is not the one any more. */
async function lateWrites({ test }: AgentWorld, job: string, token: number): Promise<readonly string[]> {
  const calls = {
    start_jobs: 'select reason from interlock.start_jobs(array[$1], array[$2::bigint])',
    report_progress: 'select interlock.report_progress($1, $2, 99)',
    append_output: `select interlock.append_output($1, $2, '[{"stream":"stdout","lines":"forged"}]')`,
    complete_jobs: `select reason from interlock.complete_jobs(array[$1], array[$2::bigint], array['{"forged":1}'::jsonb])`,
    fail_job: `select interlock.fail_job($1, $2, '{"message":"forged"}')`,
    return_jobs: `select reason from interlock.return_jobs(array[$1], array[$2::bigint], 'forged')`,
    confirm_cancel: 'select interlock.confirm_cancel($1, $2)',
  }
  const answers: string[] = []
  for (const [verb, text] of Object.entries(calls)) {
    const answer = await test.query<{ reason?: string }>(text, [job, token]).then(
      ([row]) => row?.reason ?? 'accepted',
      (error: { code?: string }) => error.code ?? String(error),
    )
    answers.push(`${verb}: ${answer}`)
  }
  return answers
}

/** What the tables have of the first holder from after the takeover: there must be nothing. */
async function acceptedLate({ test }: AgentWorld, job: string, token: number): Promise<readonly object[]> {
  return test.query(
    `with lost as (select created_at as at from interlock.job_queue_log where job_id = $1 and event_type = 'lost')
     select 'event' as what, e.event_type as said from interlock.job_queue_log as e cross join lost
     where e.job_id = $1 and e.token = $2 and e.event_type <> 'lost' and e.created_at > lost.at
     union all
     select 'output', o.lines from interlock.job_output as o cross join lost
     where o.job_id = $1 and o.lines ~ 'ready|late|forged' and o.created_at > lost.at`,
    [job, token],
  )
}

async function tokenOf(world: AgentWorld, job: string): Promise<number> {
  return (await world.eventsOf(job)).find(({ event }) => event === 'assigned')?.token ?? 0
}

function freeze(...pids: readonly number[]): Promise<unknown> {
  for (const pid of pids) process.kill(pid, 'SIGSTOP')
  return waitFor(() => pids.every((pid) => stateOf(pid) === 'T'), { what: 'them to stand still' })
}

async function isAnew({ log }: AgentProcess): Promise<void> {
  await waitFor(() => log.filter(({ message }) => message === 'agent registered').length === 2, {
    what: 'it to register anew',
  })
}

const late = [
  'start_jobs: stale_token',
  'report_progress: stale_token',
  'append_output: stale_token',
  'complete_jobs: stale_token',
  'fail_job: stale_token',
  'return_jobs: stale_token',
  'confirm_cancel: stale_token',
]

describe.concurrent('an agent that is stopped (SIGSTOP) past its lease and continued', () => {
  it('finds its job taken over: its processes were gone before, and every late write is refused', async ({ world }) => {
    const { tasks, pids, overlap } = talkative()
    const one = await world.startAgentProcess({ name: 'one', tasks, leaseSeconds })
    const job = await world.enqueue({ task: 'talk', user: 'alice' })
    await world.untilReady(job)
    await freeze(one.pid)
    const two = await world.startAgent({ name: 'two', tasks })
    await waitFor(async () => (await world.outputOf(job)).includes('second'), { what: 'the takeover' })
    expect(overlap()).toEqual([])
    expect(pids().filter(isAlive)).toEqual([])
    const token = await tokenOf(world, job)
    expect(await lateWrites(world, job, token)).toEqual(late)
    process.kill(one.pid, 'SIGCONT')
    await isAnew(one)
    await world.untilStatus(job, 'completed')
    expect(await acceptedLate(world, job, token)).toEqual([])
    expect((await world.eventsOf(job)).at(-1)).toMatchObject({ event: 'completed', agent: two.id })
    expect(await world.resultOf(job)).toEqual({ attempt: 2 })
  })

  it('with its keeper stopped too: its processes are gone within 2 s of waking, and nothing they say is accepted', async ({
    world,
  }) => {
    const { tasks, pids } = talkative()
    const one = await world.startAgentProcess({ name: 'one', tasks, leaseSeconds })
    const job = await world.enqueue({ task: 'talk', user: 'alice' })
    await world.untilReady(job)
    await freeze(one.pid, one.keeperPid)
    const two = await world.startAgent({ name: 'two', tasks })
    // Nobody could end them: here it is the fences that keep apart.
    await waitFor(async () => (await world.outputOf(job)).includes('second'), { what: 'the takeover' })
    expect(pids().filter(isAlive)).toHaveLength(2)
    const token = await tokenOf(world, job)
    expect(await lateWrites(world, job, token)).toEqual(late)
    const wokenAt = performance.now()
    for (const pid of [one.pid, one.keeperPid]) process.kill(pid, 'SIGCONT')
    await waitFor(() => pids().every((pid) => !isAlive(pid)), { what: 'its processes to be gone' })
    expect(performance.now() - wokenAt).toBeLessThan(2000)
    await isAnew(one)
    await world.untilStatus(job, 'completed')
    expect(await acceptedLate(world, job, token)).toEqual([])
    expect((await world.eventsOf(job)).at(-1)).toMatchObject({ event: 'completed', agent: two.id })
  })
})

describe.concurrent('an agent whose event loop is blocked', () => {
  const blocked = (blockMs: number) => ({
    words: ['--import', `${blocker}?for=${blockMs}`],
    block: ({ pid }: AgentProcess) => {
      process.kill(pid, 'SIGUSR2')
      return sleep(blockMs)
    },
  })

  it('for longer than its lease: its processes end first, its job runs elsewhere, and it comes back anew', async ({
    world,
  }) => {
    const { tasks, pids, overlap } = talkative()
    const { words, block } = blocked(6000)
    const one = await world.startAgentProcess({ name: 'one', tasks, leaseSeconds }, words)
    const job = await world.enqueue({ task: 'talk', user: 'alice' })
    await world.untilReady(job)
    const two = await world.startAgent({ name: 'two', tasks })
    const unblocked = block(one)
    await waitFor(async () => (await world.outputOf(job)).includes('second'), { what: 'the takeover' })
    expect(overlap()).toEqual([])
    expect(pids().filter(isAlive)).toEqual([])
    const token = await tokenOf(world, job)
    await unblocked
    await isAnew(one)
    await world.untilStatus(job, 'completed')
    expect(await acceptedLate(world, job, token)).toEqual([])
    expect((await world.eventsOf(job)).at(-1)).toMatchObject({ event: 'completed', agent: two.id })
  })

  it('for less than its lease, and longer than its lock may be unconfirmed: its job goes on', async ({ world }) => {
    const { words, block } = blocked(3000)
    const tasks = { slow: { command: ['sh', '-c', 'echo ready; sleep 5'] } }
    const one = await world.startAgentProcess({ name: 'one', tasks, leaseSeconds: 9 }, words)
    const job = await world.enqueue({ task: 'slow' })
    await world.untilReady(job)
    await block(one)
    await world.untilStatus(job, 'completed')
    expect(await world.timelineOf(job)).toEqual(['enqueued', 'assigned', 'started', 'completed'])
  })
})
