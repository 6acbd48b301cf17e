import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { applyPolicy } from '../../src/store/policy.ts'
import { type Doors, openDoors } from './cli-and-http.ts'

let doors: Doors
beforeAll(async () => {
  doors = await openDoors()
  const errors = [
    'connect ECONNREFUSED 10.0.0.7:5432',
    'connect ECONNREFUSED 10.0.0.9:5433',
    'CUDA out of memory\n  at 0xdeadbeef12',
  ]
  for (const [n, message] of errors.entries()) {
    await doors.http.post('/jobs', {
      task: n === 2 ? 'render' : 'fetch',
      id: `dead-${n}`,
      user: `user-${n}`,
      payload: { n },
    })
    const job = await doors.agent.claimOne()
    const error = JSON.stringify({ message, stack: `Error: ${message}\n    at fetch (fetch.js:${n})` })
    await doors.test.query(`select interlock.fail_job($1, $2, $3::jsonb, 'never')`, [job.job_id, job.token, error])
  }
})
afterAll(() => doors.close())

const statusOf = async (id: string) => (await doors.http.get(`/jobs/${id}`)).json.status

describe('10. Dead letters: the error, its stack, the attempts, the original; requeue and clear', () => {
  it('lists them by error, whatever numbers and addresses are in it, with the latest whole', async () => {
    const { status, json } = await doors.http.get('/dead-letters')
    expect(status).toBe(200)
    expect(json).toMatchObject({
      is_cut: false,
      groups: [
        {
          error: 'connect ECONNREFUSED <n>:<n>',
          jobs: 2,
          tasks: ['fetch'],
          users: ['user-0', 'user-1'],
          example: {
            job_id: 'dead-1',
            attempts: 1,
            payload: { n: 1 },
            error: { message: 'connect ECONNREFUSED 10.0.0.9:5433', stack: expect.stringContaining('fetch.js:1') },
          },
        },
        { error: 'CUDA out of memory', jobs: 1, example: { job_id: 'dead-2' } },
      ],
    })
    expect(json.groups[0].first_at <= json.groups[0].last_at).toBe(true)
    expect((await doors.http.get('/dead-letters?task=render')).json.groups).toHaveLength(1)
    const { code, stdout } = await doors.interlock('dead', 'list', '--verbose')
    expect(code).toBe(0)
    expect(stdout).toMatch(/2 .* fetch +dead-1/)
    expect(stdout).toContain('at fetch (fetch.js:1)')
  })

  it('tells on a dry run, and changes nothing; wants to hear that all are meant', async () => {
    const dry = await doors.http.post('/dead-letters/requeue', { error: 'connect ECONNREFUSED <n>:<n>', dry_run: true })
    expect(dry.json).toMatchObject({ dry_run: true, changed: 2, examples: ['dead-0', 'dead-1'] })
    expect(await statusOf('dead-0')).toBe('failed')
    expect(await doors.http.post('/dead-letters/clear', {})).toMatchObject({ status: 422, json: { field: 'filter' } })
    expect(await doors.interlockOnDatabase('dead', 'clear')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--yes'),
    })
    expect(await statusOf('dead-2')).toBe('failed')
  })

  it('requeues the letters of one error as new, and clears the rest, with who and why in the log', async () => {
    const shape = 'connect ECONNREFUSED <n>:<n>'
    const requeued = await doors.interlockOnDatabase(
      'dead',
      'requeue',
      '--error',
      shape,
      '--reason',
      'the host is back',
    )
    expect(requeued).toMatchObject({ code: 0, stdout: '2 jobs requeued: dead-0, dead-1\n' })
    const { json } = await doors.http.get('/jobs/dead-0')
    expect(json).toMatchObject({ status: 'pending', attempt: 0 })
    const cleared = await doors.http.post('/dead-letters/clear', { all: true, actor: 'ann' })
    expect(cleared.json).toMatchObject({ changed: 1, examples: ['dead-2'] })
    expect(await statusOf('dead-2')).toBe('deleted')
    const log = await doors.test.query(
      `select job_id, actor, conflict_reason as reason from interlock.job_queue_log where event_type in ('requeued', 'deleted') order by job_id`,
    )
    expect(log).toEqual([
      { job_id: 'dead-0', actor: 'tester', reason: 'the host is back' },
      { job_id: 'dead-1', actor: 'tester', reason: 'the host is back' },
      { job_id: 'dead-2', actor: 'ann', reason: null },
    ])
    expect((await doors.http.get('/dead-letters')).json.groups).toEqual([])
  })

  it('waits between attempts by a list or ever longer, as the queue or the job says', async () => {
    const growing = { exponential: { first_seconds: 10, factor: 2, max_seconds: 60 } }
    const set = await doors.http.send('PATCH', '/queues/low', {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ retry_delays_seconds: growing }),
    })
    expect(set.json.retry_delays_seconds).toEqual([10, 20, 40, 60])
    // As a configuration says it: set once, and found the same at the next start.
    const policy = { queues: { low: { retry_delays_seconds: { exponential: { first_seconds: 5 } } } }, limits: {} }
    expect(await applyPolicy(doors.test.database, policy, 'test')).toEqual(['queue low'])
    expect(await applyPolicy(doors.test.database, policy, 'test')).toEqual([])
    await doors.http.post('/jobs', { task: 'retry', id: 'growing', retry_delays_seconds: growing })
    const [row] = await doors.test.query(
      `select retry_delays_seconds as waits from interlock.jobs where id = 'growing'`,
    )
    expect(row).toEqual({ waits: [10, 20, 40, 60] })
    const wrong = await doors.http.post('/jobs', {
      task: 'retry',
      retry_delays_seconds: { exponential: { factor: 2 } },
    })
    expect(wrong).toMatchObject({ status: 422, json: { field: 'retry_delays_seconds.exponential.first_seconds' } })
  })
})
