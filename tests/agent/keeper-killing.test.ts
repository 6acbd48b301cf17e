import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { waitFor } from '../support/wait-for.ts'
import { createMark, findMarked, isAlive, stateOf } from './marked-processes.ts'
import { endOwners, type Owner, startOwner } from './owned-keeper.ts'

// Deaf to SIGTERM, with a child in its group, a daemon in a session of its own, and a daemon that also lost its parent.
const stubborn = `trap "" TERM
  sleep 1000 &
  setsid sh -c 'trap "" TERM; sleep 1000 & wait' &
  setsid sh -c 'setsid sleep 1000 & exit' &
  echo started
  while :; do sleep 1000; done`

const processCount = 6
const sleepCount = 4

let mark: ReturnType<typeof createMark>

async function startStubborn(options: {
  leaseMs: number
  killBudgetMs: number
  extendEveryMs: number | null
}): Promise<Owner> {
  mark = createMark()
  const owner = await startOwner({
    ...options,
    environment: { PATH: process.env.PATH ?? '', [mark.name]: mark.value },
    jobs: [{ key: 'stubborn', command: ['sh', '-c', stubborn] }],
  })
  await waitFor(() => isSettled(owner), { what: 'all processes of the job to run' })
  return owner
}

/** The last shape of the tree. Six processes alone are not it: the shell that leaves its daemon is one of them for a moment. */
function isSettled(owner: Owner): boolean {
  const processes = jobProcesses(owner)
  const sleeping = processes.filter(({ command }) => command.startsWith('sleep '))
  return processes.length === processCount && sleeping.length === sleepCount
}

function jobProcesses(owner: Owner) {
  return findMarked(mark).filter(({ pid }) => pid !== owner.keeperPid)
}

async function untilGone(owner: Owner): Promise<number> {
  const before = performance.now()
  await waitFor(() => jobProcesses(owner).length === 0, { what: 'the processes of the job to be gone' })
  return performance.now() - before
}

describe('the keeper', () => {
  afterEach(() => {
    endOwners()
    // Of a test that failed: nobody else would end them.
    for (const { pid } of findMarked(mark)) process.kill(pid, 'SIGKILL')
  })

  it('ends every process of the jobs within 2 s when its agent is killed with -9, then itself', async () => {
    const owner = await startStubborn({ leaseMs: 60_000, killBudgetMs: 2000, extendEveryMs: 1000 })
    owner.kill('SIGKILL')
    expect(await untilGone(owner)).toBeLessThan(2000)
    await waitFor(() => !isAlive(owner.keeperPid), { what: 'the keeper to be gone' })
  })

  it('ends the jobs before the lease of an agent that stands still is over, and tells it when it wakes', async () => {
    const owner = await startStubborn({ leaseMs: 3000, killBudgetMs: 1000, extendEveryMs: 200 })
    const before = performance.now()
    owner.kill('SIGSTOP')
    await untilGone(owner)
    const elapsed = performance.now() - before
    expect(elapsed).toBeGreaterThan(1500)
    expect(elapsed).toBeLessThan(3000)
    expect(isAlive(owner.keeperPid)).toBe(true)
    owner.kill('SIGCONT')
    const exit = await waitFor(() => owner.said.find(({ type }) => type === 'exit'), { what: 'the agent to be told' })
    expect(exit).toMatchObject({ key: 'stubborn', stopCause: 'lease_lost', left: 0 })
  })

  it('ends the jobs within 2 s of waking when the whole tree stood still beyond the lease', async () => {
    const owner = await startStubborn({ leaseMs: 1500, killBudgetMs: 500, extendEveryMs: 100 })
    const frozen = [owner.pid, owner.keeperPid, ...jobProcesses(owner).map(({ pid }) => pid)]
    for (const pid of frozen) process.kill(pid, 'SIGSTOP')
    await waitFor(() => frozen.every((pid) => stateOf(pid) === 'T'), { what: 'everything to stand still' })
    await sleep(2000)
    expect(jobProcesses(owner)).toHaveLength(frozen.length - 2)
    // The agent first: what it has to say about the lease is there when the keeper wakes.
    for (const pid of frozen) process.kill(pid, 'SIGCONT')
    expect(await untilGone(owner)).toBeLessThan(2000)
  })

  it('does not end by the signals of a terminal or a shutdown: only its agent’s end counts', async () => {
    const owner = await startStubborn({ leaseMs: 60_000, killBudgetMs: 600, extendEveryMs: 1000 })
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(owner.keeperPid, signal)
    await sleep(300)
    expect(jobProcesses(owner)).toHaveLength(processCount)
    owner.kill('SIGKILL')
    await untilGone(owner)
  })

  it('leaves nothing running when it is itself killed with -9: the agent ends the jobs and starts another', async () => {
    const owner = await startStubborn({ leaseMs: 60_000, killBudgetMs: 600, extendEveryMs: 1000 })
    process.kill(owner.keeperPid, 'SIGKILL')
    expect(await untilGone(owner)).toBeLessThan(2000)
    const exit = await waitFor(() => owner.said.find(({ type }) => type === 'exit'), { what: 'the exit to be told' })
    expect(exit).toMatchObject({ stopCause: 'keeper_lost' })
    const another = () => findMarked(mark).find(({ command }) => command.includes('keeper-process'))
    await waitFor(() => another() !== undefined, { what: 'another keeper' })
  })
})
