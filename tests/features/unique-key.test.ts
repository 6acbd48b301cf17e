import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Doors, openDoors } from './cli-and-http.ts'

describe('a unique key while a job is unfinished: skip, replace or refuse', () => {
  let doors: Doors
  beforeAll(async () => {
    doors = await openDoors()
  })
  afterAll(() => doors.close())

  it('over HTTP: 200 and the job that is there; 201 and a new one for it; 409', async () => {
    const job = { task: 'index', unique_key: 'repo-7' }
    const first = await doors.http.post('/jobs', job)
    expect(first.status).toBe(201)
    expect(first.json.unique_key).toBe('repo-7')
    expect(first.json.is_duplicate).toBeUndefined()
    const second = await doors.http.post('/jobs', job)
    expect(second.status).toBe(200)
    expect(second.json).toMatchObject({ id: first.json.id, status: 'pending', is_duplicate: true })
    expect(second.headers.get('location')).toBe(`/jobs/${first.json.id}`)
    const replaced = await doors.http.post('/jobs', { ...job, on_duplicate: 'replace' })
    expect(replaced.status).toBe(201)
    expect((await doors.http.get(`/jobs/${first.json.id}`)).json).toMatchObject({
      status: 'cancelled',
      reason: 'replaced by a newer job with its unique_key',
    })
    expect((await doors.http.post('/jobs', { ...job, on_duplicate: 'refuse' })).json).toMatchObject({
      status: 409,
      code: 'idempotency_conflict',
      field: 'unique_key',
    })
    expect((await doors.http.post('/jobs/batch', { jobs: [{ task: 'index' }, job] })).json.jobs).toMatchObject([
      { status: 'pending' },
      { id: replaced.json.id, is_duplicate: true },
    ])
    expect((await doors.http.post('/jobs', { task: 'index', on_duplicate: 'skip' })).json).toMatchObject({
      status: 422,
      field: 'on_duplicate',
    })
  })

  it('with an Idempotency-Key the repeated call answers as the first one did', async () => {
    const headers = { 'Idempotency-Key': 'again' }
    const job = { task: 'index', unique_key: 'repo-8' }
    const [one, two] = [await doors.http.post('/jobs', job, headers), await doors.http.post('/jobs', job, headers)]
    expect([two.status, two.json.id, two.headers.get('idempotency-replayed')]).toEqual([201, one.json.id, 'true'])
  })

  it('from the command line, over a database and HTTP', async () => {
    for (const interlock of [doors.interlock, doors.interlockOnDatabase]) {
      const add = (...args: string[]) => interlock('queue', 'add', 'index', '--unique-key', 'repo-9', ...args)
      const first = await add()
      const id = first.stdout.split(' ')[0]
      const second = await add()
      expect(second).toMatchObject({ code: 0, stdout: first.stdout })
      expect(second.stderr).toContain(`${id} has this unique key already; nothing was added`)
      expect((await add('--on-duplicate', 'refuse')).code).toBe(4)
      const third = await add('--on-duplicate', 'replace', '--json')
      expect(JSON.parse(third.stdout)).toMatchObject({ status: 'pending' })
      expect(JSON.parse(third.stdout).id).not.toBe(id)
      await interlock('job', 'cancel', JSON.parse(third.stdout).id, '--yes')
    }
  })
})
