import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { timelineOf } from '../support/job-facts.ts'
import { type Doors, openDoors } from './cli-and-http.ts'

let doors: Doors
beforeAll(async () => {
  doors = await openDoors()
})
afterAll(() => doors.close())

describe('9. Lifecycle', () => {
  it('pending, assigned, running, completed: every change is in the log, and in the words of the command line', async () => {
    const { json: job } = await doors.http.post('/jobs', { task: 'work', id: 'life', user: 'ann', project: 'site' })
    expect(job).toMatchObject({ status: 'pending', project: 'site' })
    const claimed = await doors.agent.claimOne()
    await doors.http.post('/jobs', { task: 'work', id: 'waits', user: 'ann', project: 'site' })
    expect(await doors.agent.claim()).toEqual([])
    expect(await timelineOf(doors.test.database, 'waits')).toEqual(['enqueued', 'blocked'])
    await doors.agent.complete(claimed, { done: true })
    expect(await timelineOf(doors.test.database, 'life')).toEqual(['enqueued', 'assigned', 'started', 'completed'])
    expect((await doors.http.get('/jobs/life')).json).toMatchObject({ status: 'completed', result: { done: true } })
    const { stdout } = await doors.interlock('job', 'timeline', 'life')
    expect(stdout).toMatch(/enqueued[\s\S]*assigned[\s\S]*started[\s\S]*completed/)
  })

  it('a project is what jobs are found and cleaned up by', async () => {
    expect((await doors.http.get('/jobs?project=site&status=pending')).json.jobs).toMatchObject([{ id: 'waits' }])
    const flushed = await doors.interlock('queue', 'flush', '--project', 'site', '--yes', '--json')
    expect(flushed).toMatchObject({ code: 0 })
    expect((await doors.http.get('/jobs/waits')).json.status).toBe('cancelled')
  })
})
