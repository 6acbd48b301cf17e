import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config.ts'
import { Pruner } from '../../src/coordinator/pruner.ts'
import { createSilentLogger } from '../../src/observability/logger.ts'
import { applyPolicy } from '../../src/store/policy.ts'
import { runCli, temporaryFolder } from '../cli/run-cli.ts'
import { EngineWorld } from '../engine/engine-world.ts'
import { type HttpDoor, openHttpDoor } from '../http/http-door.ts'

const day = 86_400

describe('feature 11: how long things are kept', () => {
  let world: EngineWorld
  let door: HttpDoor
  beforeAll(async () => {
    world = await EngineWorld.create()
    door = await openHttpDoor(world.test)
  })
  afterAll(() => door.server.stop())

  test('results, finished jobs, dead letters and the log go by the configuration and the queue’s row', async () => {
    const folder = await temporaryFolder({
      'interlock.toml': [
        '[queues.quick]',
        'result_retention_seconds = 60',
        'finished_retention_seconds = 30',
        'dead_letter_retention_seconds = 3600',
        '[retention]',
        'log_days = 2',
        'history_days = 0',
      ].join('\n'),
    })
    const { config } = loadConfig({ folder, environment: {} })
    expect(await applyPolicy(world.test.database, { queues: config.queues, limits: {} }, 'configuration')).toEqual([
      'queue quick',
    ])
    expect(await applyPolicy(world.test.database, { queues: config.queues, limits: {} }, 'configuration')).toEqual([])
    const pruner = new Pruner(world.test.database, config.retention, createSilentLogger())
    await pruner.ensurePartitions()

    world.agent = await world.register('worker', { queues: ['quick'] })
    await world.enqueue(
      { id: 'done', queue: 'quick', payload: { url: 'x' } },
      { id: 'bare', queue: 'quick', payload: { url: 'x' } },
      { id: 'dead', queue: 'quick' },
    )
    for (const job of await world.claim()) {
      if (job.job_id === 'dead') await world.fail(job, 'never')
      else {
        const results = job.job_id === 'done' ? [JSON.stringify({ ok: true })] : null
        await world.query('select interlock.complete_jobs($1, $2, $3::jsonb[])', [[job.job_id], [job.token], results])
      }
    }
    expect((await door.get('/jobs/done')).json).toMatchObject({ status: 'completed', result: { ok: true } })
    expect((await door.get('/jobs/bare')).json).toMatchObject({ status: 'completed', payload: { url: 'x' } })

    await world.test.advanceClock(31)
    expect(await pruner.prune()).toMatchObject({ results: 1, dead_letters: 0 })
    expect((await door.get('/jobs/done')).json).toMatchObject({ result: { ok: true } })
    await world.test.advanceClock(30)
    expect(await pruner.prune()).toMatchObject({ results: 1 })
    // The ids stay findable, without what they were given and returned.
    const env = { DATABASE_URL: world.test.url }
    for (const id of ['done', 'bare']) {
      const shown = await runCli(['job', 'show', id, '--json'], { env })
      expect(JSON.parse(shown.stdout)).toMatchObject({ id, status: 'completed', result: null })
    }
    expect((await door.get('/jobs/dead')).json).toMatchObject({ status: 'failed' })
    await world.test.advanceClock(3600)
    expect(await pruner.prune()).toMatchObject({ dead_letters: 1 })
    expect((await door.get('/jobs/dead')).json).toMatchObject({ status: 'deleted' })

    expect((await door.get('/jobs/done/timeline')).json.events.length).toBeGreaterThan(0)
    await world.test.advanceClock(4 * day)
    await pruner.ensurePartitions()
    expect((await pruner.prune()).partitions).toBeGreaterThanOrEqual(1)
    expect((await door.get('/jobs/done/timeline')).json.events).toEqual([])
    expect(await world.status('done')).toBe('completed')
  })

  test('a retention that makes no sense is refused by its name', async () => {
    const refusal = await world.refusal(`select interlock.set_queue('default', '{"finished_retention_seconds": -1}')`)
    expect(refusal.code).toBe('invalid_argument')
    const folder = await temporaryFolder({ 'interlock.toml': '[retention]\noutput_days = -1\n' })
    const checked = await runCli(['config', 'check'], { cwd: folder })
    expect(checked.code).toBe(2)
    expect(`${checked.stdout}${checked.stderr}`).toContain('retention.output_days')
  })
})
