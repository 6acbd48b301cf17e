import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Doors, openDoors } from './cli-and-http.ts'

describe('feature 4: where no queue is named, the priority chooses it', () => {
  let doors: Doors
  beforeAll(async () => {
    doors = await openDoors()
  })
  afterAll(() => doors.close())

  const queues = [
    ['critical', 'high'],
    ['high', 'high'],
    ['normal', 'default'],
    ['low', 'low'],
  ] as const

  it('over HTTP, plain or by a work order, and a queue that is named wins', async () => {
    for (const [priority, queue] of queues) {
      expect((await doors.http.post('/jobs', { task: 'fix', priority })).json).toMatchObject({ priority, queue })
      expect((await doors.http.post('/jobs', { task: 'fix', priority, queue: 'low' })).json).toMatchObject({
        queue: 'low',
      })
      const order = {
        task_type: 'bugfix',
        repository_url: 'https://x/y',
        branch_name: 'main',
        title: 't',
        description: 'd',
      }
      expect((await doors.http.post('/jobs', { work_order: { ...order, priority } })).json).toMatchObject({
        priority,
        queue,
      })
    }
  })

  it('from the command line', async () => {
    const added = await doors.interlockOnDatabase('queue', 'add', 'fix', '--priority', 'critical', '--json')
    expect(JSON.parse(added.stdout)).toMatchObject({ priority: 'critical', queue: 'high' })
  })

  it('in SQL, for any number', async () => {
    const jobs = [1.4, 1.5, 2.6].map((priority) => ({ task: 'fix', priority, id: `p${priority}` }))
    await doors.test.query('select interlock.enqueue_jobs($1)', [JSON.stringify(jobs)])
    const rows = await doors.test.query(`select queue from interlock.jobs where id like 'p%' order by id`)
    expect(rows).toEqual([{ queue: 'high' }, { queue: 'default' }, { queue: 'low' }])
  })
})
