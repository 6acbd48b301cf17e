import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { peakMegabytes } from '../agent/marked-processes.ts'
import { waitFor } from '../support/wait-for.ts'
import { type Coordinator, Fleet, type Part } from './fleet.ts'

/** A group of the kernel's whose memory is limited; null where this machine lets us make none. */
const memoryGroup = makeMemoryGroup()

// A gigabyte of lines; a result of a hundred megabytes, said and as the last line; all memory, with and without the
// kernel's hand, and above what its task may have; and one that asks for little.
const config = `
[agent]
slots = 8
[queues.default]
retry_delays_seconds = [0]
[tasks.flood]
command = ["sh", "-c", "yes 0123456789abcdef0123456789abcdef | head -c 1000000000; echo; echo '{\\"n\\":1}'"]
[tasks.boast]
command = ["sh", "-c", "printf '::interlock result \\"'; head -c 100000000 /dev/zero | tr '\\\\0' x; echo '\\"'"]
[tasks.boast-at-last]
command = ["sh", "-c", "printf '{\\"x\\":\\"'; head -c 100000000 /dev/zero | tr '\\\\0' x; echo '\\"}'"]
[tasks.grow]
command = ["sh", "-c", "ulimit -v 200000; exec tail /dev/zero"]
[tasks.glut]
command = ["sh", "-c", "echo $$ > ${memoryGroup}/cgroup.procs && exec tail /dev/zero"]
[tasks.hoard]
command = ["sh", "-c", "tail /dev/zero; echo '{}'"]
memory_mb = 100
[tasks.modest]
memory_mb = 100
command = ["sh", "-c", "sleep 0.1; echo '{}'"]
`

let fleet: Fleet
let coordinator: Coordinator
let agent: Part

beforeAll(async () => {
  fleet = await Fleet.create({ config })
  coordinator = await fleet.serve()
  agent = await fleet.agent('one')
})

afterAll(async () => {
  await fleet.end()
  if (memoryGroup !== null) rmdirSync(memoryGroup)
})

/** Jobs that ask for little finish at their side, on the same agent. */
async function expectModestOnes(): Promise<void> {
  const jobs = await fleet.enqueue(...Array.from({ length: 10 }, (_, n) => ({ task: 'modest', user: `u${n}` })))
  for (const job of jobs) await fleet.untilStatus(job, 'completed')
  for (const job of jobs) expect(await fleet.eventsOf(job)).toEqual(['enqueued', 'assigned', 'started', 'completed'])
}

/** In every process of ours together with what it did before; a job's output or result would show. */
function expectLittleMemory(): void {
  const peaks = [coordinator.pid, agent.pid, ...fleet.keepers().map(({ pid }) => pid)].map(peakMegabytes)
  expect(peaks).toHaveLength(3)
  for (const megabytes of peaks) expect(megabytes).toBeLessThan(300)
}

describe('a job that takes more than its share', () => {
  it('prints a gigabyte: 10 MiB are kept, the cut is marked, it completes, and nobody’s memory shows it', async () => {
    const [job = ''] = await fleet.enqueue({ task: 'flood', id: 'flood' })
    await expectModestOnes()
    await fleet.untilStatus(job, 'completed', 25_000)
    const [kept] = await fleet.test.query<{ bytes: number; marks: number; mark: string }>(
      `select sum(octet_length(lines)) filter (where stream = 'stdout')::int as bytes,
              count(*) filter (where stream = 'system')::int as marks,
              max(lines) filter (where stream = 'system') as mark
       from interlock.job_output where job_id = $1`,
      [job],
    )
    expect(kept).toMatchObject({ marks: 1, mark: 'output beyond 10 MiB is cut' })
    expect(kept?.bytes).toBeGreaterThan(9 * 1024 * 1024)
    expect(kept?.bytes).toBeLessThanOrEqual(10 * 1024 * 1024)
    // Read through the coordinator, by several at once.
    const answers = await Promise.all([1, 2, 3, 4].map(() => fetch(`${coordinator.url}/jobs/${job}/output`)))
    for (const answer of answers) expect((await answer.arrayBuffer()).byteLength).toBeGreaterThan(100_000)
    expectLittleMemory()
  })

  it.each(['boast', 'boast-at-last'])(
    'returns 100 MB (%s): it fails once, for good, and the limit is named',
    async (task) => {
      const [job = ''] = await fleet.enqueue({ task, max_attempts: 3 })
      await expectModestOnes()
      await fleet.untilStatus(job, 'failed')
      expect(await fleet.errorOf(job)).toMatchObject({
        code: 'bad_result',
        message: 'its result is longer than 1048576 bytes',
      })
      expect(await fleet.eventsOf(job)).toEqual(['enqueued', 'assigned', 'started', 'failed'])
      expectLittleMemory()
    },
  )

  it('eats all the memory that its shell allows: it alone fails, after its attempts', async () => {
    const [job = ''] = await fleet.enqueue({ task: 'grow', max_attempts: 2 })
    await expectModestOnes()
    await fleet.untilStatus(job, 'failed')
    expect(await fleet.errorOf(job)).toMatchObject({ exit_code: 1, message: expect.stringContaining('memory') })
    expect((await fleet.eventsOf(job)).filter((event) => event === 'started')).toHaveLength(2)
    expectLittleMemory()
  })

  it('takes more memory than its task may have: it alone ends, by that name, after its attempts', async () => {
    expect(agent.cli.stdout()).toMatch(/^agent .*; their memory limited by (the kernel|looking)/m)
    const [job = ''] = await fleet.enqueue({ task: 'hoard', max_attempts: 2 })
    await expectModestOnes()
    await fleet.untilStatus(job, 'failed')
    expect(await fleet.errorOf(job)).toMatchObject({
      code: 'out_of_memory',
      message: 'its processes used more than 100 MB of memory, and were ended',
    })
    expect((await fleet.eventsOf(job)).filter((event) => event === 'started')).toHaveLength(2)
    expect(fleet.jobProcesses()).toEqual([])
    expectLittleMemory()
  })

  it.skipIf(memoryGroup === null)(
    'is killed by the kernel for its memory (skipped where no memory cgroup can be made): it alone fails, by that signal',
    async () => {
      const [job = ''] = await fleet.enqueue({ task: 'glut', max_attempts: 1 })
      await expectModestOnes()
      await fleet.untilStatus(job, 'failed')
      expect(await fleet.errorOf(job)).toMatchObject({ code: 'signal', signal: 'SIGKILL' })
      await waitFor(() => fleet.jobProcesses().length === 0, { what: 'its processes to be gone' })
      expectLittleMemory()
    },
  )
})

function makeMemoryGroup(): string | null {
  const folder = `/sys/fs/cgroup/memory/interlock-test-${process.pid}`
  try {
    mkdirSync(folder)
    writeFileSync(`${folder}/memory.limit_in_bytes`, String(100 * 1024 * 1024))
    return folder
  } catch {
    return null
  }
}
