import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCli } from '../cli/run-cli.ts'
import { EngineWorld } from '../engine/engine-world.ts'
import { type HttpDoor, openHttpDoor } from '../http/http-door.ts'

describe('feature 32: the history of jobs, for analytics', () => {
  let world: EngineWorld
  let door: HttpDoor
  beforeAll(async () => {
    world = await EngineWorld.create()
    door = await openHttpDoor(world.test)
    await world.enqueue(
      { id: 'a1', user: 'alice', models: ['flux'], task: 'render' },
      { id: 'a2', user: 'alice', models: ['flux', 'motion'], task: 'render', delay_seconds: 0 },
      { id: 'b1', user: 'bob', task: 'edit' },
      { id: 'c1', user: 'carol', task: 'edit' },
    )
    await world.query(`select interlock.cancel_job('c1')`)
    await world.test.advanceClock(10)
    for (let round = 0; round < 2; round++) {
      const jobs = await world.claim()
      for (const job of jobs) await world.start(job)
      await world.test.advanceClock(5)
      for (const job of jobs) {
        if (job.job_id === 'b1') await world.fail(job, 'never')
        else await world.complete(job)
      }
    }
  })
  afterAll(() => door.server.stop())

  test('SQL, HTTP and the command line tell throughput, waits, durations and failures alike', async () => {
    const { json, status } = await door.get('/history/summary?by=task')
    expect(status).toBe(200)
    expect(json).toMatchObject({ by: 'task', is_truncated: false })
    expect(Date.parse(json.until) - Date.parse(json.since)).toBe(86_400_000)
    const [edit, render] = json.rows
    expect(render).toMatchObject({ key: 'render', ended: 2, completed: 2, failed: 0 })
    expect(edit).toMatchObject({ key: 'edit', ended: 2, completed: 0, failed: 1, cancelled: 1 })
    // The first waited ten seconds and ran for five, the second waited for it.
    expect(render.avg_wait_seconds).toBeCloseTo(12.5, 0)
    expect(render.max_wait_seconds).toBeCloseTo(15, 0)
    expect(render.avg_run_seconds).toBeCloseTo(5, 0)
    expect(render.completed_per_hour).toBeCloseTo(2 / 24, 5)

    const env = { DATABASE_URL: world.test.url }
    const told = JSON.parse((await runCli(['history', 'summary', '--by', 'task', '--json'], { env })).stdout)
    expect(told.rows).toEqual(json.rows)
    const over = await runCli(['history', 'summary', '--by', 'model', '--since', '2h'], {
      env: { INTERLOCK_URL: door.url },
    })
    expect(over.stdout).toMatch(/MODEL +ENDED[\s\S]*flux +2 [\s\S]*motion +1 /)
    expect(over.stdout).toMatch(/\(none\) +2 +1 /)
    const view = await world.query(`select ended, failed from interlock.history_by_user where user_name = 'bob'`)
    expect(view).toEqual([{ ended: 1, failed: 1 }])
    const agents = await door.get('/history/summary?by=agent&task=render')
    expect(agents.json.rows).toMatchObject([{ key: 'worker', ended: 2 }])
    expect((await door.get('/history/summary?by=hour')).json.rows.length).toBeGreaterThanOrEqual(1)
  })

  test.each([
    ['by', ''],
    ['by', 'by=colour'],
    ['since', 'by=task&since=yesterday'],
    ['since', 'by=task&since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z'],
    ['since', 'by=task&since=2020-01-02T00:00:00Z&until=2026-01-01T00:00:00Z'],
    ['limit', 'by=task&limit=0'],
    ['sinse', 'by=task&sinse=x'],
  ])('a wrong %s is refused by its name (?%s)', async (field, query) => {
    expect((await door.get(`/history/summary?${query}`)).json).toMatchObject({ status: 422, field })
  })

  test('the command line refuses what is no time and no range', async () => {
    const env = { DATABASE_URL: world.test.url }
    expect(await runCli(['history', 'summary', '--since', 'soon'], { env })).toMatchObject({ code: 2 })
    expect(await runCli(['history', 'summary', '--by', 'colour'], { env })).toMatchObject({ code: 2 })
  })
})
