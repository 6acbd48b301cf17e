import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EngineWorld } from '../engine/engine-world.ts'
import { type HttpDoor, openHttpDoor } from '../http/http-door.ts'

// 26. The eight commands of seed M, with its names, parameters, states and result fields.

let world: EngineWorld
let door: HttpDoor

beforeAll(async () => {
  world = await EngineWorld.create()
  door = await openHttpDoor(world.test)
})

afterAll(() => door.server.stop())

async function ask(method: string, params: unknown = {}) {
  const { json } = await door.post('/rpc', { jsonrpc: '2.0', id: 1, method, params })
  expect(json.error).toBeUndefined()
  return json.result
}

describe('26. JSON-RPC commands', () => {
  test('a job is added, started, runs, writes, and its result is read', async () => {
    const added = await ask('queue_add_job', { job_type: 'resize', job_id: 'unique-job-id', params: { width: 10 } })
    expect(added).toMatchObject({ job_id: 'unique-job-id', status: 'pending', result: null, error: null })
    expect(await world.claim()).toEqual([])
    expect(await ask('queue_start_job', { job_id: 'unique-job-id' })).toMatchObject({ status: 'pending' })

    const [job] = await world.claim()
    if (job === undefined) throw new Error('it was not started')
    await world.start(job)
    await world.query('select interlock.report_progress($1, $2, $3, $4)', [
      job.job_id,
      job.token,
      45,
      'Processing files...',
    ])
    await world.query('select * from interlock.append_output($1, $2, $3)', [
      job.job_id,
      job.token,
      JSON.stringify([
        { stream: 'stdout', lines: 'line1\nline2' },
        { stream: 'stderr', lines: 'error1' },
      ]),
    ])
    expect(await ask('queue_get_job_status', { job_id: 'unique-job-id' })).toEqual({
      job_id: 'unique-job-id',
      status: 'running',
      result: null,
      error: null,
      progress: 45,
      description: 'Processing files...',
    })
    expect(await ask('queue_get_job_logs', { job_id: 'unique-job-id' })).toEqual({
      job_id: 'unique-job-id',
      stdout: ['line1', 'line2'],
      stderr: ['error1'],
      stdout_lines: 2,
      stderr_lines: 1,
    })

    await world.query('select interlock.complete_jobs($1, $2, $3)', [
      [job.job_id],
      [job.token],
      [JSON.stringify({ files: 3 })],
    ])
    expect(await ask('queue_get_job_status', { job_id: 'unique-job-id' })).toMatchObject({
      status: 'completed',
      result: { files: 3 },
    })
  })

  test('one that runs is stopped, and is gone before the answer; one that waits is deleted', async () => {
    await ask('queue_add_job', { job_type: 'resize', job_id: 'runs' })
    await ask('queue_start_job', { job_id: 'runs' })
    const [job] = await world.claim()
    if (job === undefined) throw new Error('it was not started')
    await world.start(job)
    // Its holder has not said that it is gone: the answer says what is true.
    expect(await ask('queue_stop_job', { job_id: 'runs', timeout_seconds: 0 })).toMatchObject({ status: 'running' })
    await world.query('select interlock.confirm_cancel($1, $2)', [job.job_id, job.token])
    expect(await ask('queue_get_job_status', { job_id: 'runs' })).toMatchObject({ status: 'stopped' })

    await ask('queue_add_job', { job_type: 'resize', job_id: 'waits' })
    expect(await ask('queue_delete_job', { job_id: 'waits' })).toMatchObject({ job_id: 'waits', status: 'deleted' })
    expect(await ask('queue_get_job_status', { job_id: 'waits' })).toMatchObject({ status: 'deleted' })
  })

  test('the list and the health are what the queue manager answered', async () => {
    await ask('queue_add_job', { job_type: 'resize', job_id: 'listed' })
    const { jobs } = await ask('queue_list_jobs', { status: 'pending' })
    expect(jobs).toContainEqual({ job_id: 'listed', status: 'pending', error: null, progress: 0, description: null })
    expect(await ask('queue_health')).toMatchObject({
      status: expect.any(String),
      running: true,
      total_jobs: expect.any(Number),
      pending_jobs: expect.any(Number),
      running_jobs: expect.any(Number),
      completed_jobs: expect.any(Number),
      failed_jobs: expect.any(Number),
      max_concurrent_jobs: null,
    })
  })
})
