import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { countRows, type HttpDoor } from '../http/http-door.ts'
import type { TestAgent } from '../http/test-agent.ts'
import type { TestDatabase } from '../support/test-database.ts'
import { type Doors, openDoors } from './cli-and-http.ts'

let doors: Doors
let db: TestDatabase
let door: HttpDoor
let agent: TestAgent

beforeAll(async () => {
  doors = await openDoors()
  ;({ test: db, http: door, agent } = doors)
})
afterAll(() => doors.close())

const settle = () => db.query('select * from interlock.settle_dependents()')
const interlock = (...args: string[]) => doors.interlock(...args)

describe('feature 18: dependencies between jobs', () => {
  it('over HTTP: a batch of a chain runs in its order, and a job says what it waits for', async () => {
    const batch = await door.post('/jobs/batch', {
      jobs: [
        { id: 'build', task: 'build' },
        { id: 'test', task: 'test', depends_on: ['build'] },
        { id: 'publish', task: 'publish', depends_on: ['test', 'build'] },
      ],
    })
    expect(batch.json.jobs.map(({ status }: { status: string }) => status)).toEqual(['pending', 'deferred', 'deferred'])
    expect((await door.get('/jobs/publish')).json.depends_on).toEqual([
      { job_id: 'build', status: 'pending', needs: 'success' },
      { job_id: 'test', status: 'deferred', needs: 'success' },
    ])
    expect((await door.get('/jobs/publish/explain')).json).toMatchObject({
      sentence: 'Job publish waits for job build, which waits for its turn; and for one other.',
      waits_for: [{ job_id: 'build' }, { job_id: 'test' }],
    })
    for (const id of ['build', 'test', 'publish']) {
      const jobs = await agent.claim(5)
      expect(jobs.map((job) => job.job_id)).toEqual([id])
      await agent.complete(jobs[0] as never)
    }
    expect((await door.get('/jobs/publish')).json).toMatchObject({
      status: 'completed',
      depends_on: [
        { job_id: 'build', status: 'completed' },
        { job_id: 'test', status: 'completed' },
      ],
    })
  })

  it('over the command line, on HTTP and on the database: queue add --depends-on, job show, job explain', async () => {
    await door.post('/jobs', { task: 't', id: 'parent', max_attempts: 1 })
    const added = await interlock('queue', 'add', 't', '--id', 'child', '--depends-on', 'parent', '--json')
    expect(JSON.parse(added.stdout)).toMatchObject({ status: 'deferred' })
    const other = await doors.interlockOnDatabase(
      ...['queue', 'add', 't', '--id', 'anyhow', '--depends-on', 'parent', '--depends-on-outcome', 'any'],
    )
    expect(other).toMatchObject({ code: 0, stdout: 'anyhow deferred\n' })
    const job = await agent.claimOne()
    await agent.fail(job, 'no disk')
    await settle()
    expect((await interlock('job', 'show', 'child')).stdout).toMatch(/depends on +parent \(failed\)/)
    expect((await interlock('job', 'explain', 'child')).stdout).toContain(
      'Job child waits for job parent, which has failed for good: requeue it, or delete it and with it what depends on it.',
    )
    expect((await door.get('/jobs/anyhow')).json.status).toBe('pending')
    expect(await interlock('job', 'delete', 'parent')).toMatchObject({ code: 0 })
    await settle()
    expect((await door.get('/jobs/child')).json).toMatchObject({
      status: 'cancelled',
      reason: 'it depends on job parent, which was deleted',
    })
  })

  it.each([
    [{ depends_on: ['nobody'] }, 422, 'depends_on'],
    [{ depends_on: 'nobody' }, 422, 'depends_on'],
    [{ depends_on: ['a b'] }, 422, 'depends_on[0]'],
    [{ id: 'me', depends_on: ['me'] }, 422, 'depends_on'],
    [{ depends_on_outcome: 'any' }, 422, 'depends_on_outcome'],
    [{ depends_on: [], depends_on_outcome: 'all' }, 422, 'depends_on_outcome'],
    [{ depends_on: ['child'] }, 409, 'depends_on'],
  ])('refuses %j by name and writes nothing', async (fields, status, field) => {
    const before = await countRows(db)
    expect((await door.post('/jobs', { task: 't', ...fields })).json).toMatchObject({ status, field })
    expect(await countRows(db)).toEqual(before)
  })

  it('names a cycle', async () => {
    const jobs = [
      { task: 't', id: 'x', depends_on: ['z'] },
      { task: 't', id: 'y', depends_on: ['x'] },
      { task: 't', id: 'z', depends_on: ['y'] },
    ]
    expect((await door.post('/jobs/batch', { jobs })).json).toMatchObject({
      status: 422,
      field: 'jobs[0].depends_on',
      detail: expect.stringContaining('closes a cycle: x -> z -> y -> x'),
    })
  })
})
