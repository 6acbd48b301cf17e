import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Doors, openDoors } from './cli-and-http.ts'

let doors: Doors
beforeAll(async () => {
  doors = await openDoors()
})
afterAll(() => doors.close())

describe('6. Manual locks', () => {
  it('are held by a person by the same rules as by a job: listed, waited for, released; the job starts then', async () => {
    const acquired = await doors.interlock('locks', 'acquire', 'user:alice', '--owner', 'ann', '--json')
    expect(acquired).toMatchObject({ code: 0 })
    const lock = JSON.parse(acquired.stdout) as { lock_id: string; token: number }
    expect((await doors.http.get('/locks?resource=user:alice')).json.locks).toMatchObject([
      { resource: 'user:alice', owner: 'ann', kind: 'lock', fence: lock.token },
    ])

    await doors.http.post('/jobs', { task: 'work', id: 'hers', user: 'alice' })
    expect(await doors.agent.claim()).toEqual([])
    expect((await doors.http.get('/jobs/hers/explain')).json.sentence).toMatch(
      /^Job hers waits for user:alice, held by /,
    )
    const taken = await doors.http.post('/locks', { resources: ['user:alice'], owner: 'bob', wait_seconds: 0 })
    expect(taken).toMatchObject({ status: 409, json: { code: 'not_held' } })

    expect(await doors.interlockOnDatabase('locks', 'release', 'user:alice', '--job', lock.lock_id)).toMatchObject({
      code: 0,
    })
    expect((await doors.agent.claimOne()).job_id).toBe('hers')
  })
})
