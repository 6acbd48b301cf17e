import type { EngineWorld } from '../engine/engine-world.ts'

/** What the calls below speak of. */
export interface Scene {
  readonly agent: string
  readonly running: { readonly id: string; readonly token: number }
  readonly lane: string
  readonly lock: { readonly id: string; readonly token: number }
  /** An open question of the running job. */
  readonly request: string
  /** A run of the workflow `render`. */
  readonly execution: string
}

export async function setScene(world: EngineWorld): Promise<Scene> {
  await world.enqueue({ id: 'running', user: 'ann', models: ['flux'] })
  const [running] = await world.claim()
  if (running === undefined) throw new Error('nothing runs')
  await world.start(running)
  await world.enqueue({ id: 'waiting', user: 'ann' }, { id: 'paused', start: false })
  await world.enqueue({ id: 'dead', user: 'bob', max_attempts: 1 })
  const [dead] = await world.claim()
  if (dead === undefined) throw new Error('nothing can die')
  await world.fail(dead, 'never')
  await world.absorb()
  const [lane] = await world.query<{ id: string }>('select id from interlock.job_lanes limit 1')
  const [lock] = await world.query<{ lock_id: string }>(`select lock_id from interlock.acquire_lock('{door:1}', 'cy')`)
  const [held] = await world.query<{ token: number }>('select token from interlock.poll_lock($1, $2)', [
    lock?.lock_id,
    'cy',
  ])
  const [asked] = await world.query<{ request_id: string }>('select request_id from interlock.ask($1, $2, $3)', [
    running.job_id,
    running.token,
    { message: 'Shall it?' },
  ])
  await world.query('select interlock.apply_workflow($1)', [
    { id: 'render', task: 'work', steps: [{ name: 'draw', default_model: 'sdxl' }] },
  ])
  await world.query('select * from interlock.set_schedule($1, $2)', [
    'nightly',
    { cron: '0 2 * * *', time_zone: 'Europe/Berlin', job: { task: 'work' } },
  ])
  await world.query(`select interlock.create_key('thekeyofann', 'ann', '{admin}', sha256('s'))`)
  const [run] = await world.query<{ execution_id: string }>(
    `select execution_id from interlock.execute_workflow('render')`,
  )
  return {
    agent: world.agent,
    request: asked?.request_id ?? '',
    execution: run?.execution_id ?? '',
    running: { id: running.job_id, token: running.token },
    lane: lane?.id ?? '',
    lock: { id: lock?.lock_id ?? '', token: held?.token ?? 0 },
  }
}
