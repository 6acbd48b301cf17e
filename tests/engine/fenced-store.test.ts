import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Assigned, EngineWorld } from './engine-world.ts'

interface Entry {
  readonly fence: number
  readonly text: string
}

/**
 * What a system behind a resource has to do to be safe from a holder that does not know yet that it is none: remember
 * the highest fence it has seen for the resource, and refuse a lower one. A file for each resource; what was accepted
 * is what it remembers by, so that it outlives a restart of the store.
 */
class FencedFileStore {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  async write(resource: string, fence: number, text: string): Promise<void> {
    const highest = Math.max(0, ...(await this.read(resource)).map((entry) => entry.fence))
    if (fence < highest) throw new Error(`fence ${fence} of ${resource} is stale: ${highest} was seen`)
    await appendFile(this.#file(resource), `${JSON.stringify({ fence, text })}\n`)
  }

  async read(resource: string): Promise<readonly Entry[]> {
    const lines = await readFile(this.#file(resource), 'utf8').catch(() => '')
    return lines
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Entry)
  }

  #file(resource: string): string {
    return join(this.#folder, encodeURIComponent(resource))
  }
}

describe('a fenced file store', () => {
  let world: EngineWorld
  let folder: string
  let store: FencedFileStore
  beforeEach(async () => {
    world = await EngineWorld.create()
    folder = await mkdtemp(join(tmpdir(), 'interlock-fenced-'))
    store = new FencedFileStore(folder)
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  const fenceOf = (job: Assigned | undefined, resource: string): number => {
    const fence = job?.fences[resource]
    if (fence === undefined) throw new Error(`${job?.job_id} was handed no fence of ${resource}`)
    return fence
  }

  test('refuses the agent that was given up, and what its successor has written stands', async () => {
    await world.enqueue({ id: 'edit', user: 'alice', resources: ['repository:site'] })
    const [stale] = await world.claim()
    await world.start(stale as Assigned)
    await store.write('repository:site', fenceOf(stale, 'repository:site'), 'first draft')

    // It was frozen beyond its lease: another agent runs the job, while the first one still believes that it does.
    await world.test.advanceClock(3601)
    const successor = await world.register('successor')
    await world.query('select * from interlock.sweep_agent($1)', [world.agent])
    const [taken] = await world.claim(1, successor)
    expect(taken).toMatchObject({ job_id: 'edit', attempt: 2 })
    for (const resource of ['user:alice', 'repository:site'])
      expect(fenceOf(taken, resource)).toBeGreaterThan(fenceOf(stale, resource))
    await store.write('repository:site', fenceOf(taken, 'repository:site'), 'second draft')

    await expect(store.write('repository:site', fenceOf(stale, 'repository:site'), 'late')).rejects.toThrow('is stale')
    await store.write('repository:site', fenceOf(taken, 'repository:site'), 'finished')
    expect((await store.read('repository:site')).map((entry) => entry.text)).toEqual([
      'first draft',
      'second draft',
      'finished',
    ])
  })

  test('refuses the owner of a manual lock whose lease has ended, once a job has written under a newer fence', async () => {
    const [lock] = await world.query<{ lock_id: string }>(
      `select lock_id from interlock.acquire_lock('{repository:site}', 'ann', 60)`,
    )
    expect(await world.claimedIds(1, 'locks.0')).toEqual([lock?.lock_id])
    const [held] = await world.query<{ fences: Record<string, number>; token: number }>(
      `select fences, token from interlock.poll_lock($1, 'ann')`,
      [lock?.lock_id],
    )
    const stale = held?.fences['repository:site'] ?? 0
    await store.write('repository:site', stale, 'by hand')
    await world.enqueue({ id: 'deploy', resources: ['repository:site'] })
    await world.test.advanceClock(61)
    await world.query('select * from interlock.expire_locks()')
    await world.query('select * from interlock.expire_locks()')
    const [job] = await world.claim()
    expect(job?.job_id).toBe('deploy')
    await store.write('repository:site', fenceOf(job, 'repository:site'), 'deployed')

    await expect(store.write('repository:site', stale, 'late')).rejects.toThrow('is stale')
    expect(
      await world.refusal('select * from interlock.extend_lock($1, $2)', [lock?.lock_id, held?.token]),
    ).toMatchObject({
      code: 'stale_token',
    })
    expect((await store.read('repository:site')).map((entry) => entry.text)).toEqual(['by hand', 'deployed'])
  })

  test('nothing makes a fence fall: not a slot that was collected while nobody used the resource', async () => {
    await world.enqueue({ id: 'one', user: 'alice' })
    const [one] = await world.claim()
    await world.complete(one as Assigned)
    await world.test.advanceClock(120)
    await world.query('select * from interlock.collect_idle()')
    expect(await world.query(`select from interlock.job_queue_state where resource = 'user:alice'`)).toEqual([])
    await world.enqueue({ id: 'two', user: 'alice' })
    const [two] = await world.claim()
    await store.write('user:alice', fenceOf(one, 'user:alice'), 'one')
    await store.write('user:alice', fenceOf(two, 'user:alice'), 'two')
    await expect(store.write('user:alice', fenceOf(one, 'user:alice'), 'late')).rejects.toThrow('is stale')
    const [shown] = await world.query(`select job_id, fence from interlock.locks where resource = 'user:alice'`)
    expect(shown).toEqual({ job_id: 'two', fence: fenceOf(two, 'user:alice') })
  })
})
