import type { Assigned, EngineWorld } from '../engine/engine-world.ts'

/** A job that runs, and its token. */
export interface Held {
  readonly id: string
  readonly token: number
}

/** What the calls below speak of. */
export interface Scene {
  readonly agent: string
  /** Agents without a job, which others may claim for and end. */
  readonly idle: readonly [string, string]
  /** The run of the workflow, as a job. */
  readonly stepping: Held
  readonly running: Held
  /** They run as well, and speak of nothing else: whoever has one may end it. */
  readonly expendable: readonly [Held, Held, Held]
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
  await world.enqueue(...['first', 'second', 'third'].map((id) => ({ id, max_attempts: 2 })))
  const [first, second, third] = await world.claim()
  if (first === undefined || second === undefined || third === undefined) throw new Error('nothing is expendable')
  for (const job of [first, second, third]) await world.start(job)
  await world.absorb()
  const [lane] = await world.query<{ id: string }>('select id from interlock.job_lanes limit 1')
  const [lock] = await world.query<{ lock_id: string }>(
    `select lock_id from interlock.acquire_lock('{door:1}', 'cy', p_lease_seconds => 3600)`,
  )
  await world.claim(1, 'locks.0')
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
  await world.absorb()
  const [stepping] = await world.claim(1)
  if (stepping === undefined) throw new Error('the workflow does not run')
  await world.start(stepping)
  return {
    agent: world.agent,
    idle: [await world.register('idle'), await world.register('leaving')],
    request: asked?.request_id ?? '',
    execution: run?.execution_id ?? '',
    running: heldJob(running),
    stepping: heldJob(stepping),
    expendable: [heldJob(first), heldJob(second), heldJob(third)],
    lane: lane?.id ?? '',
    lock: { id: lock?.lock_id ?? '', token: held?.token ?? 0 },
  }
}

function heldJob({ job_id: id, token }: Assigned): Held {
  return { id, token }
}
