import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Doors, openDoors } from './cli-and-http.ts'

let doors: Doors
beforeAll(async () => {
  doors = await openDoors()
})
afterAll(() => doors.close())

const add = async (id: string, more: Record<string, unknown> = {}) =>
  (await doors.http.post('/jobs', { task: 'work', id, ...more })).json
const statusOf = async (id: string) => (await doors.http.get(`/jobs/${id}`)).json.status

describe('13. Add without start, start, stop, delete', () => {
  it('adds without starting: no agent gets the job until somebody starts it', async () => {
    expect(await add('later', { start: false })).toMatchObject({ status: 'paused' })
    expect(await doors.agent.claim()).toEqual([])
    const dry = await doors.interlock('job', 'start', 'later', '--dry-run')
    expect(dry.stdout).toBe('would start later: paused -> pending\n')
    expect(await statusOf('later')).toBe('paused')
    const started = await doors.http.post('/jobs/later/start', { reason: 'now', actor: 'ann' })
    expect(started).toMatchObject({ status: 200, json: { status: 'pending', job: { id: 'later' } } })
    const [event] = await doors.test.query(
      `select actor, conflict_reason as reason from interlock.job_queue_log where job_id = 'later' and event_type = 'due'`,
    )
    expect(event).toEqual({ actor: 'ann', reason: 'now' })
    expect(await doors.http.post('/jobs/later/start')).toMatchObject({
      status: 409,
      json: { code: 'illegal_transition' },
    })
    expect((await doors.agent.claimOne()).job_id).toBe('later')
  })

  it('stops what runs when its process is gone, and what waits at once; deletes what does not run', async () => {
    const stopping = await doors.http.post('/jobs/later/cancel', {})
    expect(stopping).toMatchObject({ status: 202, json: { status: 'cancelling' } })
    expect(await doors.http.send('DELETE', '/jobs/later')).toMatchObject({ status: 409 })
    const [row] = await doors.test.query<{ token: number }>(`select token from interlock.jobs where id = 'later'`)
    await doors.agent.fail({ job_id: 'later', token: row?.token ?? 0 }, 'stopped')
    expect(await statusOf('later')).toBe('cancelled')
    await add('never', { start: false })
    expect(await doors.http.send('DELETE', '/jobs/never')).toMatchObject({ status: 200, json: { status: 'deleted' } })
  })

  it('starts from the command line on the database itself, and says 4 for what is not paused', async () => {
    await add('cli', { start: false })
    expect(await doors.interlockOnDatabase('job', 'start', 'cli')).toMatchObject({ code: 0, stdout: 'cli pending\n' })
    expect(await doors.interlockOnDatabase('job', 'start', 'cli')).toMatchObject({ code: 4 })
  })

  it('gives a job another priority, by name or number, and refuses what is none', async () => {
    await add('first')
    await add('second')
    const moved = await doors.http.post('/jobs/second/priority', { priority: 'critical', reason: 'the customer waits' })
    expect(moved).toMatchObject({ status: 200, json: { job: { priority: 'critical', queue: 'default' } } })
    expect(await doors.http.post('/jobs/second/priority', { priority: 9 })).toMatchObject({
      status: 422,
      json: { field: 'priority' },
    })
    expect(await doors.interlock('job', 'priority', 'first', '2.5')).toMatchObject({ code: 0, stdout: 'first 2.5\n' })
    expect((await doors.agent.claimOne()).job_id).toBe('second')
  })
})
