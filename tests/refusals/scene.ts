import type { EngineWorld } from '../engine/engine-world.ts'

/** What the calls below speak of. */
export interface Scene {
  readonly agent: string
  readonly running: { readonly id: string; readonly token: number }
  readonly lane: string
  readonly lock: { readonly id: string; readonly token: number }
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
  return {
    agent: world.agent,
    running: { id: running.job_id, token: running.token },
    lane: lane?.id ?? '',
    lock: { id: lock?.lock_id ?? '', token: held?.token ?? 0 },
  }
}
