import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'
import { type HttpDoor, openHttpDoor } from './http-door.ts'

let db: TestDatabase
let door: HttpDoor
beforeAll(async () => {
  db = await createTestDatabase()
  door = await openHttpDoor(db)
})
afterAll(() => door.server.stop())

const put = (name: string, body: unknown, query = '') =>
  door.send('PUT', `/schedules/${name}${query}`, {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
const nightly = { cron: '30 2 * * *', time_zone: 'Europe/Berlin', job: { task: 'report', user: 'alice' } }

describe('PUT /schedules/:name', () => {
  test('makes it, changes it, and answers with it and its next five times', async () => {
    const made = await put('nightly', nightly, '?actor=ann')
    expect(made.status).toBe(201)
    expect(made.headers.get('location')).toBe('/schedules/nightly')
    expect(made.json).toMatchObject({
      name: 'nightly',
      is_paused: false,
      ...nightly,
      missed: 'once',
      missed_limit: 100,
      last_at: null,
      last_job_id: null,
      last_problem: null,
    })
    const times: readonly string[] = made.json.next_times
    expect(times).toHaveLength(5)
    expect(made.json.next_at).toBe(times[0])
    const clock = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Berlin', timeStyle: 'short' })
    const usual = times.filter((time) => clock.format(new Date(time)) === '02:30')
    // All of them, but for the one in the hour that spring leaves out.
    expect(usual.length).toBeGreaterThanOrEqual(4)
    expect(times.toSorted()).toEqual(times)

    expect((await put('nightly', nightly)).status).toBe(200)
    const changed = await put('nightly', { ...nightly, missed: 'all', missed_limit: 3 })
    expect(changed.json).toMatchObject({ missed: 'all', missed_limit: 3 })
    const events = await db.query(
      `select actor from interlock.job_queue_log where event_type = 'schedule_set' order by id`,
    )
    expect(events).toEqual([{ actor: 'ann' }, { actor: 'http' }])
    expect((await door.get('/schedules/nightly?times=2')).json.next_times).toHaveLength(2)
  })

  test('takes the body of a job that clients of the coordinator send', async () => {
    const { json } = await put('video', { cron: '@daily', job: { job_type: 'video', model: 'flux', prompt: 'a cat' } })
    expect(json.job).toEqual({ task: 'video', kind: 'video', models: ['flux'], payload: { prompt: 'a cat' } })
  })

  test.each([
    ['cron', { cron: '61 * * * *' }],
    ['cron', { cron: '* * * * * *' }],
    ['cron', { cron: '2026-01-01T00:00:00' }],
    ['cron', { cron: '0 0 30 2 *' }],
    ['cron', { cron: undefined }],
    ['time_zone', { time_zone: 'Europe/Atlantis' }],
    ['time_zone', { time_zone: '+02:00' }],
    ['missed', { missed: 'never' }],
    ['missed_limit', { missed_limit: 1001 }],
    ['is_paused', { is_paused: 1 }],
    ['job', { job: undefined }],
    ['job', { job: 7 }],
    ['job.task', { job: {} }],
    ['job.id', { job: { task: 'a', id: 'mine' } }],
    ['job.run_at', { job: { task: 'a', run_at: '2030-01-01T00:00:00Z' } }],
    ['job.delay_seconds', { job: { task: 'a', delay_seconds: 5 } }],
    ['job.models[0]', { job: { task: 'a', models: [''] } }],
    ['job.queue', { job: { task: 'a', queue: 'nowhere' } }],
    ['corn', { corn: '* * * * *' }],
  ])('refuses a wrong %s by its name, and writes nothing (%#)', async (field, wrong) => {
    const before = await db.query('select name, revision from interlock.schedules order by name')
    const reply = await put('wrong', { ...nightly, ...wrong })
    expect(reply.json).toMatchObject({ status: 422, field })
    expect(await db.query('select name, revision from interlock.schedules order by name')).toEqual(before)
  })

  test('refuses a wrong name', async () => {
    expect((await put('a%20b', nightly)).json).toMatchObject({ status: 422, field: 'name' })
  })
})

test('POST run enqueues its job, once for an Idempotency-Key; pause, resume and DELETE do what they say', async () => {
  await put('byhand', { cron: '@yearly', job: { task: 'report', payload: { n: 1 } } })
  const ran = await door.post('/schedules/byhand/run', { actor: 'ann' })
  expect(ran.status).toBe(201)
  expect(ran.json).toMatchObject({ status: 'pending', task: 'report', payload: { n: 1 } })
  expect((await door.get('/schedules/byhand')).json.last_job_id).toBe(ran.json.id)
  const keyed = () => door.post('/schedules/byhand/run', undefined, { 'idempotency-key': 'once' })
  expect((await keyed()).json.id).toBe((await keyed()).json.id)

  expect((await door.post('/schedules/byhand/pause')).json).toMatchObject({ is_paused: true, next_at: null })
  expect((await put('byhand', { cron: '@yearly', job: { task: 'other' } })).json).toMatchObject({ is_paused: true })
  expect((await door.post('/schedules/byhand/resume')).json).toMatchObject({ is_paused: false })
  expect((await door.send('DELETE', '/schedules/byhand')).json).toEqual({ name: 'byhand', status: 'deleted' })
  for (const path of ['/schedules/byhand/run', '/schedules/byhand/pause', '/schedules/byhand/resume']) {
    expect((await door.post(path)).json).toMatchObject({ status: 404, code: 'schedule_not_found' })
  }
  expect((await door.get('/schedules/byhand')).json).toMatchObject({ status: 404, code: 'schedule_not_found' })
  expect((await door.send('DELETE', '/schedules/byhand')).json).toMatchObject({ status: 404 })
})

test('GET /schedules lists them by name, a page at a time', async () => {
  for (const name of ['p-a', 'p-b', 'p-c']) await put(name, { cron: '@daily', job: { task: 'a' } })
  const names: string[] = []
  for (let cursor = ''; ; ) {
    const { json } = await door.get(`/schedules?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`)
    names.push(...json.schedules.map((schedule: { name: string }) => schedule.name))
    for (const schedule of json.schedules) expect(schedule.next_times).toHaveLength(5)
    if (json.next_cursor === null) break
    cursor = json.next_cursor
  }
  expect(names).toEqual(expect.arrayContaining(['p-a', 'p-b', 'p-c']))
  expect(names).toEqual([...new Set(names)].toSorted())
})
