import { describe, expect } from 'vitest'
import { testInWorld } from '../agent/agent-world.ts'
import { runCli } from '../cli/run-cli.ts'
import { EngineWorld } from '../engine/engine-world.ts'
import { openHttpDoor } from '../http/http-door.ts'
import { waitFor } from '../support/wait-for.ts'

const sh = (script: string) => ({ command: ['sh', '-c', script] })

describe('feature 11: a job has a time to live by queue, and may have a heartbeat of its own', () => {
  testInWorld(
    'a job that falls silent is stopped by its agent, and its attempt fails as stalled',
    async ({ world }) => {
      await world.startAgent({ tasks: { hang: sh('echo begun; exec sleep 1000') }, heartbeatSeconds: 1 })
      const job = await world.enqueue({ task: 'hang', queue: 'default', heartbeat_seconds: 1, max_attempts: 1 })
      await world.untilStatus(job, 'failed')
      expect(await world.errorOf(job)).toMatchObject({ code: 'stalled', signal: 'SIGTERM' })
      expect(await world.timelineOf(job)).toEqual(['enqueued', 'assigned', 'started', 'stalled', 'failed'])
      expect(world.processes()).toEqual([])
    },
  )

  testInWorld('output, progress and a heartbeat line keep it alive, each of its own', async ({ world }) => {
    const signs = ['echo line', 'echo ::interlock progress 50', 'echo ::interlock heartbeat']
    const tasks = Object.fromEntries(
      signs.map((sign, n) => [`sign-${n}`, sh(`for i in 1 2 3 4 5 6; do sleep 0.6; ${sign}; done`)]),
    )
    await world.startAgent({ tasks, slots: 3, heartbeatSeconds: 1 })
    const jobs = await Promise.all(
      Object.keys(tasks).map((task) =>
        world.enqueue({ task, queue: 'default', heartbeat_seconds: 2, max_attempts: 1 }),
      ),
    )
    for (const job of jobs) await world.untilStatus(job, 'completed')
  })

  testInWorld('a job’s own process says so over HTTP, with its token, and nobody else does', async ({ world }) => {
    const door = await openHttpDoor(world.test)
    try {
      await world.startAgent({
        tasks: { hang: sh('echo "$INTERLOCK_TOKEN"; exec sleep 1000') },
        heartbeatSeconds: 1,
        stopGraceSeconds: 0.2,
      })
      const job = await world.enqueue({ task: 'hang', queue: 'default', heartbeat_seconds: 60, max_attempts: 1 })
      const token = await waitFor(async () => /stdout: (\d+)/.exec(await world.outputOf(job))?.[1], {
        what: 'its token',
      })
      await world.test.query(
        `update interlock.job_signs set last_sign_at = last_sign_at - interval '1 hour', due_at = now() + interval '5 seconds'`,
      )
      expect((await door.post(`/jobs/${job}/heartbeat`, { token: Number(token) })).status).toBe(200)
      expect(
        await world.test.query(
          `select last_sign_at > now() - interval '1 minute' as is_recent from interlock.job_signs`,
        ),
      ).toEqual([{ is_recent: true }])
      expect((await door.post(`/jobs/${job}/heartbeat`, { token: Number(token) - 1 })).json).toMatchObject({
        status: 409,
        code: 'stale_token',
      })
      expect((await door.post(`/jobs/${job}/heartbeat`, {})).json).toMatchObject({ status: 422, field: 'token' })
      expect((await door.post('/jobs/nobody/heartbeat', { token: 1 })).status).toBe(404)
      await world.test.query('select * from interlock.cancel_job($1)', [job])
      await world.untilStatus(job, 'cancelled')
    } finally {
      await door.server.stop()
    }
  })
})

describe('feature 11: times to live', () => {
  testInWorld.for([
    ['high', 3600],
    ['default', 7200],
    ['low', 14_400],
  ] as const)('a job of %j that has not started by then expires', async ([queue, seconds]) => {
    const world = await EngineWorld.create()
    await world.enqueue({ id: 'own', queue, ttl_seconds: 0 })
    const added = await runCli(['queue', 'add', 'work', '--queue', queue, '--id', 'cli'], {
      env: { DATABASE_URL: world.test.url },
    })
    expect(added.code, added.stderr).toBe(0)
    await world.test.advanceClock(seconds - 60)
    await world.query('select interlock.expire_jobs()')
    expect(await world.status('cli')).toBe('pending')
    await world.test.advanceClock(61)
    await world.query('select interlock.expire_jobs()')
    expect([await world.status('cli'), await world.status('own')]).toEqual(['expired', 'pending'])
  })
})
