import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Doors, openDoors } from './cli-and-http.ts'

let doors: Doors
beforeAll(async () => {
  doors = await openDoors()
})
afterAll(() => doors.close())

const hold = async (resource: string, owner: string) => {
  const { json } = await doors.http.post('/locks', { resources: [resource], owner, wait_seconds: 10 })
  return json.lock_id as string
}
const heldBy = async (resource: string) => {
  const { json } = await doors.http.get(`/locks?resource=${encodeURIComponent(resource)}`)
  return json.locks.map((lock: { readonly job_id: string }) => lock.job_id)
}

describe('8. Stale locks: cleaned up by age, by project, by hand', () => {
  it('sweeps a project’s locks alone: what holds project:NAME, and tells of its jobs', async () => {
    const site = await hold('project:site', 'ann')
    const other = await hold('project:other', 'bob')
    await doors.http.post('/jobs', { task: 'work', id: 'of-site', user: 'cleo', project: 'site' })
    const job = await doors.agent.claimOne()

    const dry = await doors.http.post('/locks/sweep', { older_than_seconds: 0, project: 'site', dry_run: true })
    expect(dry.json.locks.map(({ job_id, status }: Record<string, string>) => [job_id, status])).toEqual([
      [site, 'held'],
      ['of-site', 'running'],
    ])
    const { code, stdout } = await doors.interlock('locks', 'sweep', '--older-than', '0', '--project', 'site')
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringMatching(/released/) })
    expect(await heldBy('project:site')).toEqual([])
    expect(await heldBy('project:other')).toEqual([other])
    expect(await doors.http.get('/jobs/of-site')).toMatchObject({ json: { status: 'running' } })
    await doors.agent.complete(job)
    await doors.test.query('select interlock.release_lock($1)', [other])
  })

  it('sweeps by age, and leaves what is younger', async () => {
    const lock = await hold('user:dora', 'ann')
    const young = await doors.http.post('/locks/sweep', { older_than_seconds: 3600 })
    expect(young.json.locks).toEqual([])
    const swept = await doors.test.query('select job_id, status from interlock.sweep_locks(0)')
    expect(swept).toEqual([{ job_id: lock, status: 'released' }])
  })

  it('releases by hand: seed P’s `release alice task_123`, and a job by its id alone', async () => {
    await doors.http.post('/jobs', { task: 'work', id: '123', user: 'alice' })
    const job = await doors.agent.claimOne()
    const released = await doors.interlock('locks', 'release', 'user:alice', '--job', '123', '--reason', 'it hangs')
    expect(released).toMatchObject({ code: 0, stdout: expect.stringContaining('was asked to stop') })
    await doors.agent.fail(job, 'stopped')
    expect(await heldBy('user:alice')).toEqual([])

    await doors.http.post('/jobs', { task: 'work', id: '124', user: 'alice' })
    expect(await doors.http.post('/jobs/124/release')).toMatchObject({ status: 409, json: { code: 'not_held' } })
    const next = await doors.agent.claimOne()
    const reply = await doors.http.post('/jobs/124/release', { reason: 'it hangs, too' })
    expect(reply).toMatchObject({ status: 202, json: { status: 'cancelling', job: { reason: 'it hangs, too' } } })
    await doors.agent.fail(next, 'stopped')
  })
})
