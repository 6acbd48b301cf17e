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

  it('is seen in the status over HTTP, in SQL and on the command line: who refuses, and why', async () => {
    const { backlog } = (await doors.http.get('/queue/status')).json
    expect(backlog).toMatchObject([
      { scope: 'all', max_unfinished: 4, unfinished: 2, is_full: false, is_refusing: false, reason: null },
      { scope: 'queue:default', is_full: true, is_refusing: true, reason: '2 of at most 2 jobs are unfinished' },
      { scope: 'task:analyze', max_unfinished: 1, unfinished: 0, when_full: 'drop_oldest' },
    ])
    expect(await doors.test.query('select scope from interlock.backlog_fullness where is_refusing')).toEqual([
      { scope: 'queue:default' },
    ])
    expect((await doors.interlock('queue', 'status')).stdout).toContain(
      'queue default refuses jobs: 2 of at most 2 jobs are unfinished',
    )
  })

  it('by type, the oldest that waits is deleted for the newer one', async () => {
    await doors.http.post('/jobs', { task: 'analyze', id: 'first', queue: 'low' })
    await doors.http.post('/jobs', { task: 'analyze', id: 'second', queue: 'high' })
    expect([await statusOf('first'), await statusOf('second')]).toEqual(['deleted', 'pending'])
    const timeline = await doors.interlockOnDatabase('job', 'timeline', 'first')
    expect(timeline.stdout.replaceAll(/\s+/g, ' ')).toContain('dropped for a newer job: task analyze is full')
  })

  it('is set and lifted at run time, over HTTP', async () => {
    const put = (scope: string, body: object) =>
      doors.http.send('PUT', `/backlog-limits/${scope}`, {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
    expect((await put('task:paint', { max_unfinished: 0 })).json).toMatchObject({
      limit: { max_unfinished: 0, when_full: 'refuse', is_refusing: true },
    })
    expect((await doors.http.post('/jobs', { task: 'paint' })).json).toMatchObject({ status: 429, field: 'task' })
    expect((await put('task:paint', { max_unfinished: null })).json).toEqual({ scope: 'task:paint', limit: null })
    expect((await put('user:ann', { max_unfinished: 1 })).json).toMatchObject({ status: 422, field: 'scope' })
    expect((await put('queue:nowhere', { max_unfinished: 1 })).json).toMatchObject({ code: 'queue_not_found' })
  })

  it.each(['HTTP', 'a database'])('is set and lifted from the command line, over %s', async (kind) => {
    const interlock = kind === 'HTTP' ? doors.interlock : doors.interlockOnDatabase
    expect((await interlock('queue', 'limit', 'queue:high', '7', '--when-full', 'drop_oldest')).stdout).toBe(
      'queue:high at most 7\n',
    )
    expect((await interlock('queue', 'limit')).stdout).toMatch(/queue:high +\d +7 +drop_oldest/)
    expect((await interlock('queue', 'limit', 'queue:high', 'unlimited')).stdout).toBe('queue:high unlimited\n')
  })

  it('is looked at without a change, and a queue’s own setting takes the same words', async () => {
    const dry = await doors.interlock('queue', 'limit', 'all', '5', '--dry-run')
    expect(dry.stdout).toBe('would limit all: at most 4 -> at most 5\n')
    expect((await doors.interlock('queue', 'limit', 'everything', '5')).code).toBe(2)
    await doors.interlock('queue', 'set', 'high', 'max_unfinished=3')
    expect((await doors.interlock('queue', 'set', 'high', 'max_unfinished=unlimited')).code).toBe(0)
    expect(await doors.test.query(`select from interlock.backlog_limits where scope = 'queue:high'`)).toEqual([])
  })

  it('stands in the environment as well', () => {
    const environment = { INTERLOCK_BACKLOG_MAX_UNFINISHED: '12', INTERLOCK_BACKLOG_WHEN_FULL: 'drop_oldest' }
    const { backlog } = loadConfig({ folder: '/', environment }).config
    expect(backlog).toEqual({ all: { maxUnfinished: 12, whenFull: 'drop_oldest' } })
    const unlimited = loadConfig({ folder: '/', environment: { INTERLOCK_BACKLOG_MAX_UNFINISHED: 'unlimited' } })
    expect(unlimited.config.backlog).toMatchObject({ all: { maxUnfinished: null } })
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
