import { writeFile } from 'node:fs/promises'
import { describe, expect } from 'vitest'
import { testInWorld as it } from '../agent/agent-world.ts'
import { runCli, startCli, temporaryFolder } from '../cli/run-cli.ts'
import { openHttpDoor } from '../http/http-door.ts'
import { waitFor } from '../support/wait-for.ts'

const quick = { command: ['sh', '-c', 'echo "{}"'] }
const agentsOf = (stdout: string) =>
  JSON.parse(stdout) as { counts: Record<string, number>; agents: { id: string; state: string }[] }

describe.concurrent('feature 19: agents', { timeout: 90_000 }, () => {
  it('run in bursts: one ends when nothing is left that it could start, and leaves what waits for its time', async ({
    world,
  }) => {
    const jobs = []
    for (const user of ['ann', 'ann', 'bob']) jobs.push(await world.enqueue({ task: 'quick', user }))
    const later = await world.enqueue({ task: 'quick', delay_seconds: 600 })
    const agent = await world.startAgent({ liveness: 'lease', tasks: { quick }, slots: 1, burst: true })
    await agent.ended
    for (const job of jobs) expect(await world.statusOf(job)).toBe('completed')
    expect(await world.statusOf(later)).toBe('scheduled')
    expect(await world.agentStates()).toEqual(['gone'])
  })

  it('end after so many jobs, each of them run to its end, and the others are not touched', async ({ world }) => {
    for (let n = 0; n < 7; n += 1) await world.enqueue({ task: 'slow', user: `u${n}` })
    const slow = { command: ['sh', '-c', 'sleep 0.3; echo "{}"'] }
    const agent = await world.startAgent({ liveness: 'lease', tasks: { slow }, slots: 2, maxJobs: 3 })
    await agent.ended
    const rows = await world.test.query<{ outcome: string }>('select outcome from interlock.task_history')
    expect(rows).toEqual([{ outcome: 'completed' }, { outcome: 'completed' }, { outcome: 'completed' }])
    const left = await world.test.query<{ status: string; attempt: number }>(
      'select status, attempt from interlock.jobs',
    )
    expect(left).toEqual(Array.from({ length: 4 }, () => ({ status: 'pending', attempt: 0 })))
  })

  it('end when they had nothing to do for so long, and not while they have', async ({ world }) => {
    const hold = { command: ['sh', '-c', 'sleep 1.5; echo "{}"'] }
    const job = await world.enqueue({ task: 'hold' })
    const agent = await world.startAgent({ liveness: 'lease', tasks: { hold }, slots: 1, maxIdleSeconds: 0.8 })
    await agent.ended
    expect(await world.statusOf(job)).toBe('completed')
    expect(await world.agentStates()).toEqual(['gone'])
  })

  it('of the command line end with 0 when a burst is over', async ({ world }) => {
    const job = await world.enqueue({ task: 'quick' })
    const cwd = await temporaryFolder({ 'interlock.toml': '[tasks.quick]\ncommand = ["sh", "-c", "echo {}"]\n' })
    const agent = await startCli(['agent', '--burst', '--name', 'b'], { cwd, env: { DATABASE_URL: world.test.url } })
    expect(await agent.ended()).toMatchObject({ code: 0 })
    expect(await world.statusOf(job)).toBe('completed')
  })

  it('are suspended and resumed by the command line, over HTTP and by SQL; what runs goes on, and a restart changes nothing', async ({
    world,
  }) => {
    const door = await openHttpDoor(world.test)
    const hang = { command: ['sh', '-c', 'echo ready; while [ ! -e "$GATE" ]; do sleep 0.1; done; echo "{}"'] }
    const gate = `${await temporaryFolder()}/gate`
    const tasks = { hang: { ...hang, env: { GATE: gate } }, quick }
    const agent = await world.startAgent({ liveness: 'lease', tasks, name: 'gpu-1', slots: 2 })
    await world.startAgent({ liveness: 'lease', tasks: {}, name: 'gpu-2', queues: ['low'], slots: 1 })
    const running = await world.enqueue({ task: 'hang' })
    await world.untilReady(running)
    const cli = (...words: string[]) => runCli(words, { env: { DATABASE_URL: world.test.url } })

    const preview = await cli('agents', 'suspend', 'gpu-1', '--dry-run')
    expect(preview.stdout.trim()).toBe(`would suspend ${agent.id}: active -> suspended, holds 1 job`)
    const suspended = await cli('agents', 'suspend', 'gpu-1', '--reason', 'new driver')
    expect(suspended.stdout.trim()).toBe(`${agent.id} suspended, holds 1 job`)
    const waiting = await world.enqueue({ task: 'quick' })
    expect((await door.get('/agents')).json.counts).toMatchObject({ total: 2, idle: 1, busy: 0, suspended: 1, room: 1 })
    expect((await door.get('/queue/status')).json.agents).toMatchObject({ total: 2, idle: 1, busy: 0, suspended: 1 })
    const status = await cli('agents', 'status', '--json', '--sort-by', 'jobs')
    expect(agentsOf(status.stdout).agents[0]).toMatchObject({ id: agent.id, state: 'suspended' })

    await writeFile(gate, '')
    await world.untilStatus(running, 'completed')
    await agent.stop()
    const next = await world.startAgent({ liveness: 'lease', tasks, name: 'gpu-1', slots: 2 })
    expect((await door.get('/agents')).json.agents[0]).toMatchObject({ id: next.id, state: 'suspended' })
    expect(await world.statusOf(waiting)).toBe('pending')

    const { status: code, json } = await door.post(`/agents/${next.id}/resume`, { actor: 'ann' })
    expect([code, json]).toEqual([200, { agent_id: next.id, state: 'active', active_jobs: 0 }])
    await world.untilStatus(waiting, 'completed')
    await world.test.query('select interlock.suspend_agent($1)', [next.id])
    await world.test.query('select interlock.drain_agent($1)', [next.id])
    const events = await world.test.query<{ event: string; why: string | null }>(
      `select event_type as event, conflict_reason as why from interlock.job_queue_log
       where event_type in ('agent_suspended', 'agent_resumed') order by id`,
    )
    expect(events).toEqual([
      { event: 'agent_suspended', why: 'new driver' },
      { event: 'agent_resumed', why: null },
      { event: 'agent_suspended', why: null },
    ])
    await waitFor(async () => (await world.agentStates()).at(-1) === 'draining', { what: 'the agent to drain' })
    expect((await cli('agents', 'resume', 'nobody')).code).toBe(4)
    await door.server.stop()
  })
})
