import { rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { testInWorld } from '../agent/agent-world.ts'
import { runCli } from '../cli/run-cli.ts'
import { openHttpDoor } from '../http/http-door.ts'
import { waitFor } from '../support/wait-for.ts'

const sh = (script: string) => ({ command: ['sh', '-c', script] })

describe('feature 12: progress from 0 to 100, set by the job or by elapsed time', () => {
  testInWorld(
    'what a job says of itself is clamped, described, and seen by HTTP and the command line',
    async ({ world }) => {
      const door = await openHttpDoor(world.test)
      try {
        await world.startAgent({
          tasks: { work: sh('echo "::interlock progress 250 Nearly there"; exec sleep 1000') },
          stopGraceSeconds: 0.2,
        })
        const job = await world.enqueue({ task: 'work', queue: 'default' })
        await waitFor(async () => (await door.get(`/jobs/${job}`)).json.progress === 100, { what: 'its progress' })
        expect((await door.get(`/jobs/${job}`)).json).toMatchObject({
          progress: 100,
          progress_description: 'Nearly there',
        })
        const shown = await runCli(['job', 'show', job, '--json'], { env: { INTERLOCK_URL: door.url } })
        expect(JSON.parse(shown.stdout)).toMatchObject({ status: 'running', progress: 100 })
        await door.post(`/jobs/${job}/cancel`)
        await world.untilStatus(job, 'cancelled')
      } finally {
        await door.server.stop()
      }
    },
  )

  testInWorld(
    'by elapsed time where the task asks for it: in steps, never done before it is, until the job speaks',
    async ({ world }) => {
      const gate = 'echo ready; while [ ! -e "$GATE" ]; do sleep 0.05; done'
      const open = join(tmpdir(), world.mark.value)
      await world.startAgent({
        tasks: {
          timed: { ...sh(gate), elapsedProgress: true, env: { GATE: open } },
          untimed: { ...sh(gate), env: { GATE: open } },
          speaks: { ...sh(`echo '::interlock progress 3 mine'; ${gate}`), elapsedProgress: true, env: { GATE: open } },
        },
        slots: 3,
      })
      const jobs = await Promise.all(
        ['timed', 'untimed', 'speaks'].map((task) =>
          world.enqueue({ task, queue: 'default', payload: { duration: 1.2, steps: 4 } }),
        ),
      )
      const seen = new Set<number | null>()
      const progress = async (job = '') => {
        const [row] = await world.test.query<{ progress: number | null }>(
          'select progress from interlock.jobs where id = $1',
          [job],
        )
        return row?.progress ?? null
      }
      await waitFor(
        async () => {
          const percent = await progress(jobs[0])
          seen.add(percent)
          return percent === 99
        },
        { what: 'all steps to have passed' },
      )
      expect([...seen].filter((percent) => ![null, 25, 50, 75, 99].includes(percent))).toEqual([])
      expect([await progress(jobs[1]), await progress(jobs[2])]).toEqual([null, 3])
      await writeFile(open, '')
      for (const job of jobs) await world.untilStatus(job, 'completed')
      await rm(open)
    },
  )
})
