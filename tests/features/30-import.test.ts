import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../cli/run-cli.ts'
import { type Doors, openDoors } from './cli-and-http.ts'

const fixture = fileURLToPath(new URL('../fixtures/import/pending-requests.json', import.meta.url))

let doors: Doors
let file: string
beforeAll(async () => {
  doors = await openDoors()
  file = join(await temporaryFolder(), 'pending-requests.json')
  await copyFile(fixture, file)
})
afterAll(() => doors.close())

const jobs = () =>
  doors.test.query<{ id: string; status: string; priority: number }>(
    'select id, status, priority from interlock.jobs order by id',
  )

describe('30. Import of pending-requests.json (the state that seed L reports)', () => {
  it('tells on a dry run what would be added, and adds nothing', async () => {
    const { code, stdout } = await doors.interlock('queue', 'import', file, '--dry-run', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      dry_run: true,
      backup: null,
      total: 30,
      added: 14,
      known: 0,
      paused: 4,
      done: 16,
      by_type: { support_request: 11, subdomain_create: 5, config_change: 4, service_restart: 4, service_deploy: 1 },
      by_status: { approved: 10, review: 4, done: 16, bad: 0 },
      bad: [],
    })
    expect(await jobs()).toEqual([])
  })

  it('copies the file first, adds what may run and what waits for a person, and leaves out what is done', async () => {
    const { code, stdout } = await doors.interlock('queue', 'import', file, '--backup')
    expect(code).toBe(0)
    expect(stdout).toContain('30 requests: 14 added (4 of them paused')
    const copy = (await readdir(join(file, '..'))).find((name) => name.includes('.backup-')) ?? ''
    expect(await readFile(join(file, '..', copy), 'utf8')).toBe(await readFile(fixture, 'utf8'))

    const added = await jobs()
    expect(added).toHaveLength(14)
    expect(added.filter(({ status }) => status === 'paused').map(({ id }) => id)).toEqual([
      'pending-req-002',
      'pending-req-011',
      'pending-req-014',
      'pending-req-026',
    ])
    const priorities = Object.fromEntries(added.map(({ id, priority }) => [id, priority]))
    // URGENT, approved, named low by itself, and only waiting to be looked at.
    expect(priorities).toMatchObject({
      'pending-req-001': 0,
      'pending-req-004': 1,
      'pending-req-026': 3,
      'pending-req-002': 2,
    })
    const { json } = await doors.http.get('/jobs/pending-req-001')
    expect(json).toMatchObject({ task: 'support_request', user: 'alice', project: 'alice_project', expires_at: null })
    expect(json.payload.request).toMatchObject({ id: 'req-001', status: 'approved' })
    const [event] = await doors.test.query(
      `select actor from interlock.job_queue_log where job_id = 'pending-req-001' and event_type = 'approved'`,
    )
    expect(event).toEqual({ actor: 'admin' })
  })

  it('adds nothing the second time, not even what has ended since, and starts what is approved now', async () => {
    await doors.http.post('/jobs/pending-req-001/cancel')
    const { code, stdout } = await doors.interlockOnDatabase('queue', 'import', file)
    expect(code).toBe(0)
    expect(stdout).toContain('0 added (0 of them paused, for a person to look at), 14 known already, 16 done')
    expect(await jobs()).toHaveLength(13)
    const approved = await doors.http.post('/jobs/pending-req-002/approve', { actor: 'ann' })
    expect(approved.json.status).toBe('pending')
  })

  it('reports a bad record with its place, ends with 1, and goes on with the rest', async () => {
    const broken = join(await temporaryFolder(), 'broken.json')
    await writeFile(
      broken,
      JSON.stringify([
        { type: 'a', id: 'good', status: 'approved' },
        'nonsense',
        { type: 'b', id: 'odd', user: 'a*b' },
      ]),
    )
    const { code, stdout } = await doors.interlock('queue', 'import', broken)
    expect(code).toBe(1)
    expect(stdout).toContain('1 added')
    expect(stdout).toContain('bad [1]: is no object')
    expect(stdout).toMatch(/bad \[2\]: user must/)
    expect(await doors.http.get('/jobs/pending-good')).toMatchObject({ json: { status: 'pending' } })
    await writeFile(broken, '{')
    expect(await doors.interlock('queue', 'import', broken)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('cannot be imported'),
    })
  })
})
