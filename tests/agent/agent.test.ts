import { fileURLToPath } from 'node:url'
import { describe, expect } from 'vitest'
import { waitFor } from '../support/wait-for.ts'
import { testInWorld as it } from './agent-world.ts'

const resize = fileURLToPath(new URL('../fixtures/agent/resize.ts', import.meta.url))
const shell = (script: string) => ({ command: ['sh', '-c', script] })

describe.concurrent('an agent', () => {
  it('claims a job that was enqueued by SQL, runs its command and completes it', async ({ world }) => {
    const script =
      'cat; echo; echo "::interlock progress 45 Resizing"; echo warned >&2; sleep 0.4; echo "{\\"ok\\":true}"'
    const agent = await world.startAgent({ tasks: { work: shell(script) } })
    const job = await world.enqueue({ task: 'work', user: 'alice', models: ['flux'], payload: { width: 3 } })
    await waitFor(
      async () => {
        const [row] = await world.test.query<{ progress: number; progress_description: string }>(
          'select progress, progress_description from interlock.jobs where id = $1',
          [job],
        )
        return row?.progress === 45 && row.progress_description === 'Resizing'
      },
      { what: 'the progress to be seen' },
    )
    await world.untilStatus(job, 'completed')
    expect(await world.timelineOf(job)).toEqual(['enqueued', 'assigned', 'started', 'completed'])
    expect(await world.resultOf(job)).toEqual({ ok: true })
    const output = (await world.outputOf(job)).split('\n')
    expect(output).toHaveLength(3)
    expect(output).toContain('stderr: warned')
    expect(output).toContain('stdout: {"ok":true}')
    expect(JSON.parse(output.find((line) => line.includes('job_id'))?.slice('stdout: '.length) ?? '')).toMatchObject({
      job_id: job,
      task: 'work',
      user: 'alice',
      payload: { width: 3 },
      attempt: 1,
    })
    expect(agent.activeJobs).toBe(0)
  })

  it('tells a job who it is by its environment', async ({ world }) => {
    const script = 'echo "$INTERLOCK_JOB_ID/$INTERLOCK_TOKEN/$INTERLOCK_FENCES/$INTERLOCK_URL/$SIZE/$PWD"'
    const task = { ...shell(script), env: { SIZE: 'big', INTERLOCK_TOKEN: 'forged' }, cwd: '/usr' }
    await world.startAgent({ tasks: { work: task }, url: 'http://127.0.0.1:7400' })
    const job = await world.enqueue({ task: 'work', user: 'alice' })
    await world.untilStatus(job, 'completed')
    const token = (await world.eventsOf(job))[1]?.token
    expect(await world.outputOf(job)).toBe(
      `stdout: ${job}/${token}/{"user:alice":${token}}/http://127.0.0.1:7400/big//usr`,
    )
  })

  it('runs a TypeScript module as a task', async ({ world }) => {
    await world.startAgent({ tasks: { resize: { module: resize } } })
    const job = await world.enqueue({ task: 'resize', payload: { url: 'x.png', width: 100 } })
    await world.untilStatus(job, 'completed')
    expect(await world.resultOf(job)).toMatchObject({ url: 'x.png', width: 100, jobId: job, attempt: 1 })
    expect(await world.outputOf(job)).toContain('stdout: resizing x.png')
    const invalid = await world.enqueue({ task: 'resize', payload: { url: 'x.png', width: 'wide' } })
    await world.untilStatus(invalid, 'failed')
    expect(await world.errorOf(invalid)).toMatchObject({ code: 'invalid_input', field: 'payload.width' })
  })

  it('retries a command that exits with 1 as often as the job may, then it has failed for good', async ({ world }) => {
    await world.startAgent({ tasks: { work: shell('echo "line one" >&2; echo "disk full" >&2; exit 1') } })
    const job = await world.enqueue({ task: 'work', max_attempts: 2, retry_delays_seconds: [0] })
    await world.untilStatus(job, 'failed')
    expect(await world.errorOf(job)).toEqual({
      message: 'ended with exit code 1: disk full',
      code: 'exit_code',
      exit_code: 1,
      stack: 'line one\ndisk full',
    })
    const timeline = await world.timelineOf(job)
    expect(timeline.filter((event) => event === 'started')).toHaveLength(2)
    expect(timeline.at(-1)).toBe('failed')
  })

  it('retries at once what exits with 75, never what exits with 77', async ({ world }) => {
    await world.startAgent({ tasks: { again: shell('exit 75'), never: shell('exit 77') } })
    const again = await world.enqueue({ task: 'again', max_attempts: 3, retry_delays_seconds: [600] })
    const never = await world.enqueue({ task: 'never', max_attempts: 3 })
    await world.untilStatus(again, 'failed')
    await world.untilStatus(never, 'failed')
    const startsOf = async (job: string) => (await world.timelineOf(job)).filter((event) => event === 'started').length
    expect([await startsOf(again), await startsOf(never)]).toEqual([3, 1])
  })

  it('fails for good a job whose task it does not know', async ({ world }) => {
    await world.startAgent({ tasks: { known: shell('true') } })
    const job = await world.enqueue({ task: 'constructor' })
    await world.untilStatus(job, 'failed')
    expect(await world.errorOf(job)).toMatchObject({ code: 'unknown_task' })
  })

  it('stops a job at its timeout, with all that it started', async ({ world }) => {
    await world.startAgent({ tasks: { hang: shell('trap "" TERM; sleep 1000 & sleep 1000') }, stopGraceSeconds: 0.2 })
    const job = await world.enqueue({ task: 'hang', timeout_seconds: 1, max_attempts: 1 })
    await world.untilStatus(job, 'failed')
    expect(world.processes()).toEqual([])
    expect(await world.errorOf(job)).toMatchObject({ code: 'timeout', message: 'stopped after 1 s', signal: 'SIGKILL' })
  })

  it('takes the shorter of the job’s timeout and the task’s', async ({ world }) => {
    await world.startAgent({ tasks: { hang: { ...shell('exec sleep 1000'), timeoutSeconds: 0.3 } } })
    const job = await world.enqueue({ task: 'hang', timeout_seconds: 600, max_attempts: 1 })
    await world.untilStatus(job, 'failed')
    expect(await world.errorOf(job)).toMatchObject({ code: 'timeout', signal: 'SIGTERM' })
  })

  it('stops a running job that is cancelled at once, and frees its resources only when its processes are gone', async ({
    world,
  }) => {
    await world.startAgent({ tasks: { hang: shell('trap "" TERM; echo ready; sleep 1000') }, stopGraceSeconds: 0.5 })
    const job = await world.enqueue({ task: 'hang', user: 'alice' })
    const next = await world.enqueue({ task: 'hang', user: 'alice' })
    await waitFor(async () => (await world.outputOf(job)).includes('ready'), { what: 'the job to run' })
    const first = world.processes().map(({ pid }) => pid)
    const before = performance.now()
    await world.test.query('select interlock.cancel_job($1, $2)', [job, 'changed my mind'])
    await waitFor(() => world.processes().every(({ pid }) => !first.includes(pid)), {
      what: 'its processes to be gone',
    })
    // Told by a notification, not by the next heartbeat, which is 5 s away.
    expect(performance.now() - before).toBeLessThan(2500)
    await world.untilStatus(job, 'cancelled')
    expect(await world.timelineOf(job)).toEqual(['enqueued', 'assigned', 'started', 'cancel_requested', 'cancelled'])
    await world.untilStatus(next, 'running')
  })

  it('keeps 10 MiB of what a job prints, marks the cut, and completes it', async ({ world }) => {
    await world.startAgent({
      tasks: { flood: shell('yes 0123456789abcdef | head -c 30000000; echo; echo "{\\"n\\":1}"') },
    })
    const job = await world.enqueue({ task: 'flood' })
    await world.untilStatus(job, 'completed', 20_000)
    const [kept] = await world.test.query<{ bytes: number; marks: number }>(
      `select sum(octet_length(lines)) filter (where stream = 'stdout') as bytes, count(*) filter (where stream = 'system') as marks
       from interlock.job_output where job_id = $1`,
      [job],
    )
    expect(Number(kept?.bytes)).toBeGreaterThan(9 * 1024 * 1024)
    expect(Number(kept?.bytes)).toBeLessThanOrEqual(10 * 1024 * 1024)
    expect(kept?.marks).toBe(1)
    expect(await world.resultOf(job)).toEqual({ n: 1 })
  })

  it('fails a job, and only it, whose result is larger than 1 MiB', async ({ world }) => {
    await world.startAgent({
      tasks: {
        big: shell(`printf '{"x":"'; head -c 2000000 /dev/zero | tr '\\0' x; echo '"}'`),
        small: shell('echo {}'),
      },
    })
    const big = await world.enqueue({ task: 'big' })
    const small = await world.enqueue({ task: 'small' })
    await world.untilStatus(big, 'failed')
    expect(await world.errorOf(big)).toMatchObject({ code: 'bad_result' })
    await world.untilStatus(small, 'completed')
  })

  it('keeps what a job prints though it be no UTF-8', async ({ world }) => {
    await world.startAgent({ tasks: { odd: shell(`printf 'a\\000b\\377c\\n'; printf '{"k":"\\\\u0000"}\\n'`) } })
    const job = await world.enqueue({ task: 'odd' })
    await world.untilStatus(job, 'completed')
    expect(await world.outputOf(job)).toContain('stdout: a\uFFFDb\uFFFDc')
    expect(await world.resultOf(job)).toEqual({ k: '\uFFFD' })
  })

  it('never runs more jobs at once than it has slots, and claims the next as soon as one has ended', async ({
    world,
  }) => {
    const agent = await world.startAgent({ tasks: { quick: shell('sleep 0.02') }, slots: 2 })
    let most = 0
    const watching = setInterval(() => {
      most = Math.max(most, agent.activeJobs)
    }, 1)
    const jobs = await Promise.all(Array.from({ length: 24 }, () => world.enqueue({ task: 'quick' })))
    const before = performance.now()
    for (const job of jobs) await world.untilStatus(job, 'completed')
    clearInterval(watching)
    expect(most).toBe(2)
    // Twelve rounds; with a second between each it would take twelve seconds.
    expect(performance.now() - before).toBeLessThan(6000)
  })

  it('keeps its lease by its heartbeat through a job that is longer than the lease', async ({ world }) => {
    const agent = await world.startAgent({ tasks: { long: shell('sleep 4; echo "{}"') }, leaseSeconds: 2 })
    const id = agent.id
    const job = await world.enqueue({ task: 'long' })
    await world.untilStatus(job, 'completed')
    expect(await world.timelineOf(job)).toEqual(['enqueued', 'assigned', 'started', 'completed'])
    expect(agent.id).toBe(id)
  })

  it('is refused by name when a queue or a task does not fit', async ({ world }) => {
    await expect(world.startAgent({ queues: ['nowhere'] })).rejects.toMatchObject({ code: 'queue_not_found' })
  })
})
