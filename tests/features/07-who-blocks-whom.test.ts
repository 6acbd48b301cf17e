import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Doors, openDoors } from './cli-and-http.ts'

let doors: Doors
beforeAll(async () => {
  doors = await openDoors()
})
afterAll(() => doors.close())

describe('7. Who blocks whom', () => {
  it('is said of each waiting job: blocked_by_job_id, conflict_reason, queued_at, queue_position, by each door', async () => {
    await doors.http.post('/jobs', { task: 'render', id: 'first', model: 'motion-2.0-fast' })
    await doors.agent.claimOne()
    for (const id of ['second', 'third'])
      await doors.http.post('/jobs', { task: 'render', id, model: 'motion-2.0-fast' })
    expect(await doors.agent.claim()).toEqual([])

    const reason = 'Model conflict: motion-2.0-fast in use by normal job first'
    const { json: second } = await doors.http.get('/jobs/second')
    expect(second).toMatchObject({ blocked_by_job_id: 'first', conflict_reason: reason, queue_position: 1 })
    expect(Date.parse(second.queued_at)).toBeGreaterThan(0)
    expect((await doors.http.get('/jobs/third')).json).toMatchObject({ blocked_by_job_id: 'first', queue_position: 2 })
    expect((await doors.http.get('/queue/status')).json.queued_jobs).toMatchObject([
      { job_id: 'second', blocked_by_job_id: 'first', conflict_reason: reason },
      { job_id: 'third', blocked_by_job_id: 'first' },
    ])
    expect(
      await doors.test.query(
        'select job_id, blocked_by_job_id, conflict_reason from interlock.waiting_jobs order by job_id',
      ),
    ).toMatchObject([
      { job_id: 'second', blocked_by_job_id: 'first', conflict_reason: reason },
      { job_id: 'third', blocked_by_job_id: 'first' },
    ])
    const explained = await doors.interlock('job', 'explain', 'second')
    expect(explained.stdout).toMatch(/^Job second waits for model:motion-2\.0-fast, held by job first/)
  })
})
