import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config.ts'
import { applyPolicy } from '../../src/store/policy.ts'
import { temporaryFolder } from '../cli/run-cli.ts'
import { type Doors, openDoors } from './cli-and-http.ts'

describe('feature 13: limits on the number of unfinished jobs, in all and by type; when full, refuse or drop the oldest', () => {
  let doors: Doors
  beforeAll(async () => {
    doors = await openDoors()
  })
  afterAll(() => doors.close())

  const configure = async (text: string): Promise<readonly string[]> => {
    const folder = await temporaryFolder({ 'interlock.toml': text })
    const { queues, backlog, resources } = loadConfig({ folder, environment: {} }).config
    return applyPolicy(doors.test.database, { queues, backlog, limits: resources }, 'tests')
  }
  const statusOf = async (id: string) => (await doors.http.get(`/jobs/${id}`)).json.status

  it('set by interlock.toml, a full queue answers 429 with Retry-After, and the command line ends with 6', async () => {
    const text =
      '[queues.default]\nmax_unfinished = 2\n[backlog]\nmax_unfinished = 4\nwhen_full = "drop_oldest"\ntasks = { analyze = 1 }\n'
    expect(await configure(text)).toEqual(['queue default', 'backlog limit all', 'backlog limit task:analyze'])
    expect(await configure(text)).toEqual([])
    for (const id of ['a', 'b']) expect((await doors.http.post('/jobs', { task: 'work', id })).status).toBe(201)
    const full = await doors.http.post('/jobs', { task: 'work' })
    expect(full.json).toMatchObject({ status: 429, code: 'queue_full', field: 'queue' })
    expect(full.headers.get('retry-after')).toMatch(/^\d+$/)
    for (const interlock of [doors.interlock, doors.interlockOnDatabase]) {
      const added = await interlock('queue', 'add', 'work')
      expect(added.code).toBe(6)
      expect(added.stderr).toContain('queue default is full: 2 of at most 2 jobs are unfinished')
    }
  })

  it('by type, the oldest that waits is deleted for the newer one', async () => {
    await doors.http.post('/jobs', { task: 'analyze', id: 'first', queue: 'low' })
    await doors.http.post('/jobs', { task: 'analyze', id: 'second', queue: 'high' })
    expect([await statusOf('first'), await statusOf('second')]).toEqual(['deleted', 'pending'])
    const timeline = await doors.interlockOnDatabase('job', 'timeline', 'first')
    expect(timeline.stdout.replaceAll(/\s+/g, ' ')).toContain('dropped for a newer job: task analyze is full')
  })

  it('in all, too; and set to unlimited by the file, it takes any number', async () => {
    await doors.http.post('/jobs', { task: 'work', queue: 'low', id: 'fourth' })
    await doors.http.post('/jobs', { task: 'work', queue: 'low', id: 'fifth' })
    expect([await statusOf('a'), await statusOf('b'), await statusOf('fifth')]).toEqual([
      'deleted',
      'pending',
      'pending',
    ])
    await configure(
      '[queues.default]\nmax_unfinished = "unlimited"\n[backlog]\nmax_unfinished = "unlimited"\ntasks = { analyze = "unlimited" }\n',
    )
    expect(await doors.test.query('select * from interlock.backlog_limits')).toEqual([])
    const jobs = Array.from({ length: 100 }, () => ({ task: 'analyze' }))
    expect((await doors.http.post('/jobs/batch', { jobs })).json.count).toBe(100)
  })
})
