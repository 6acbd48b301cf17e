import { beforeAll, describe, expect, it } from 'vitest'
import { EngineWorld } from '../engine/engine-world.ts'

let world: EngineWorld
beforeAll(async () => {
  world = await EngineWorld.create({ clock: 'real' })
})

const counts = () =>
  world.query(`select (select count(*) from interlock.jobs) as jobs, (select count(*) from interlock.job_queue_log) as log,
    (select count(*) from interlock.job_queue_state) as slots, (select count(*) from interlock.job_output) as output`)

describe('run_at in SQL', () => {
  it.each([
    '2127-01-31T12:00:00Z',
    '2127-01-31T12:00Z',
    '2127-01-31T12:00:00.123456+05:30',
    '2127-01-31T12:00:00+0530',
    // As psql prints it.
    '2127-01-31 12:00:00.5+00',
  ])('takes %s', async (time) => {
    const [id] = await world.enqueue({ run_at: time })
    const [row] = await world.query(
      'select status, run_at = $2::timestamptz as same from interlock.jobs where id = $1',
      [id, time],
    )
    expect(row).toEqual({ status: 'scheduled', same: true })
  })

  it.each([
    ...[
      'yesterday',
      'now',
      'infinity',
      'tomorrow',
      'Jan 31 2127',
      '2127-01-31',
      '2127-01-31T12:00:00',
      '20270131T120000Z',
    ],
    ...[
      '2127-13-31T12:00:00Z',
      '2127-01-31T25:00:00Z',
      '2127-01-31T12:00:00 CET',
      ' 2127-01-31T12:00:00Z',
      '12:00',
      '',
    ],
  ])('refuses %j by name, alone and in a batch, and writes nothing', async (time) => {
    const before = await counts()
    const enqueue = (...jobs: object[]) =>
      world.refusal('select * from interlock.enqueue_jobs($1)', [JSON.stringify(jobs)])
    expect(await enqueue({ task: 'work', run_at: time })).toEqual({ code: 'invalid_argument', field: 'run_at' })
    expect(await enqueue({ task: 'work' }, { task: 'work', run_at: time })).toMatchObject({ field: 'jobs[1].run_at' })
    expect(await counts()).toEqual(before)
  })
})

describe('empty arrays', () => {
  it.each([
    `select * from interlock.complete_jobs('{}', '{}')`,
    `select * from interlock.complete_jobs('{}', '{}', '{}')`,
    `select * from interlock.start_jobs('{}', '{}')`,
    `select * from interlock.return_jobs('{}', '{}', 'nothing')`,
  ])('%s: no rows, nothing done', async (text) => {
    const before = await counts()
    expect(await world.query(text)).toEqual([])
    expect(await counts()).toEqual(before)
  })

  it('a heartbeat of an agent that holds nothing is accepted', async () => {
    const [row] = await world.query(`select state, unknown_count from interlock.heartbeat_agent($1, '{}', '{}')`, [
      world.agent,
    ])
    expect(row).toEqual({ state: 'active', unknown_count: 0 })
  })

  it('a claim for no route claims nothing', async () => {
    await world.enqueue({})
    await world.absorb()
    const [row] = await world.query(`select jobs from interlock.claim_jobs($1, '{}', 10)`, [world.agent])
    expect(row).toEqual({ jobs: [] })
  })

  it('no output at all is accepted, and none is kept', async () => {
    const [job] = await world.claim(1)
    if (job === undefined) throw new Error('nothing was claimed')
    const before = await counts()
    await world.query(`select * from interlock.append_output($1, $2, '[]')`, [job.job_id, job.token])
    expect(await counts()).toEqual(before)
  })

  it.each([
    [`select * from interlock.enqueue_jobs('[]')`, 'jobs'],
    [`select * from interlock.acquire_lock('{}', 'ann')`, 'resources'],
    [`select * from interlock.register_agent('another', '{}', 1)`, 'queues'],
    [
      `select * from interlock.register_agent('another', '{default}', 1, p_permission_levels => '{}')`,
      'permission_levels',
    ],
  ])('%s means nothing, and is refused by name', async (text, field) => {
    const before = await counts()
    expect(await world.refusal(text)).toEqual({ code: 'invalid_argument', field })
    expect(await counts()).toEqual(before)
  })
})
