import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Connection } from '../../src/store/connection.ts'
import { sqlstateOf } from '../../src/store/sqlstate.ts'
import { waitFor } from '../support/wait-for.ts'
import { type Assigned, EngineWorld } from './engine-world.ts'

// Two verbs meet on a job that has given its model back. The first one has answered and is not committed when the second
// one is called; whoever waits is seen to wait. Whatever they come to, in either order: no deadlock, no violation, and when
// the job and what stood in line for it are over, no slot is left behind.

let world: EngineWorld
let sessions: readonly [Connection, Connection]
type State = 'open' | 'in line' | 'granted'

const leftQuery =
  'select resource from interlock.job_queue_state where active_job_id is not null or reserved_lane_id is not null'

interface Scene {
  readonly job: Assigned
  readonly agent: string
  readonly request: string
}

type Verb = (scene: Scene) => readonly [text: string, ...values: readonly unknown[]]

const verbs: Readonly<Record<string, Verb>> = {
  'another ask': ({ job }) => [
    'select interlock.ask($1, $2, $3)',
    job.job_id,
    job.token,
    { message: 'm', release_models: true },
  ],
  answer_request: ({ request }) => [`select interlock.answer_request($1, '{"message": "yes"}')`, request],
  expire_requests: () => ['select interlock.expire_requests()'],
  resume_request: ({ request }) => ['select interlock.resume_request($1)', request],
  complete_jobs: ({ job }) => ['select * from interlock.complete_jobs($1, $2)', [job.job_id], [job.token]],
  return_jobs: ({ job }) => [`select * from interlock.return_jobs($1, $2, 'because')`, [job.job_id], [job.token]],
  end_agent: ({ agent }) => ['select interlock.end_agent($1)', agent],
  'claim for another': () => ['select interlock.claim_jobs($1)', world.agent],
  'claim for the companion': () => [`select interlock.claim_jobs('locks.0')`],
  release_resource: () => [`select interlock.release_resource('model:flux')`],
  set_limit: () => [`select interlock.set_limit('task:work', 5)`],
  'cancel of the companion': ({ request }) => [
    'select interlock.cancel_job(companion_id) from interlock.requests where id = $1',
    request,
  ],
}

let scenes = 0
/** A job that has given its model back, with another in line for it; its question is open, or answered and so far. */
async function open(state: State): Promise<Scene> {
  const n = ++scenes
  const agent = await world.register(`asking-${n}`)
  await world.enqueue({ id: `asker-${n}`, user: 'alice', models: ['flux'], max_attempts: 1 })
  const [job] = await world.claim(1, agent)
  if (job === undefined) throw new Error('it was not claimed')
  await world.start(job)
  const [asked] = await world.query<{ id: string }>('select request_id as id from interlock.ask($1, $2, $3)', [
    job.job_id,
    job.token,
    { message: 'Go on?', release_models: true, expires_in_seconds: state === 'open' ? 1 : 3600 },
  ])
  const request = asked?.id ?? ''
  if (state === 'open') await world.test.advanceClock(0.5)
  else await world.query(`select interlock.answer_request($1, '{"message": "yes"}')`, [request])
  await world.absorb()
  if (state === 'granted') await world.claimOnce(100, 'locks.0')
  await world.enqueue({ id: `other-${n}`, user: 'bob', models: ['flux'], max_attempts: 1 })
  await world.absorb()
  return { job, agent, request }
}

/** The first verb, uncommitted; the second beside it; then the commit. Returns the SQLSTATEs of what was refused. */
async function meet(
  first: readonly [string, ...unknown[]],
  second: readonly [string, ...unknown[]],
): Promise<readonly string[]> {
  const [one, two] = sessions
  const refused: string[] = []
  const note = (error: unknown) => void refused.push(sqlstateOf(error) ?? String(error))
  await one.query('begin')
  let isRefused = false
  await one.query(first[0], first.slice(1)).catch((error: unknown) => {
    isRefused = true
    note(error)
  })
  let isDone = false
  const other = two
    .query(second[0], second.slice(1))
    .catch(note)
    .finally(() => {
      isDone = true
    })
  await waitFor(
    async () =>
      isDone ||
      (await world.query('select from pg_stat_activity where cardinality(pg_blocking_pids(pid)) > 0')).length > 0,
    { what: 'the second verb to end or to wait' },
  )
  await one.query(isRefused ? 'rollback' : 'commit')
  await other
  return refused
}

/** What coordinators and agents do until nothing is left to do; every job that runs is completed. */
async function wind(): Promise<void> {
  for (let round = 0; round < 20; round++) {
    await world.query('select interlock.expire_requests()')
    await world.query(`select interlock.remove_limit('task:work')`).catch(() => undefined)
    await world.claim(100, 'locks.0')
    await world.query('select interlock.resume_request(id) from unnest(interlock.away_requests(1)) as a (id)')
    await world.query(`select interlock.cancel_job(id) from interlock.jobs where held is null and kind <> 'resume'`)
    const running = await world.query<Assigned>(
      `select id as job_id, token from interlock.jobs where held is not null and kind <> 'resume'`,
    )
    const [waiting] = await world.query<{ n: number }>(`select count(*) as n from interlock.jobs where kind = 'resume'`)
    if (running.length === 0 && waiting?.n === 0) return
    if (running.length > 0) await world.complete(...running)
  }
  throw new Error('it does not come to an end')
}

const allowed = ['40001', 'IL001', 'IL002', 'IL003', 'IL004', 'IL009']

/** The first verb of each meeting, by how far the question is. Every verb comes second to it. */
export type Firsts = Readonly<Partial<Record<State, readonly string[]>>>

/** All verbs first, at each point. */
export const everyMeeting: Firsts = {
  open: Object.keys(verbs),
  'in line': Object.keys(verbs),
  granted: Object.keys(verbs),
}

export function describeMeetings(firsts: Firsts): void {
  beforeAll(async () => {
    world = await EngineWorld.create()
    sessions = [await world.test.database.connect(), await world.test.database.connect()]
  })
  afterAll(() => Promise.all(sessions.map((session) => session.close())))

  describe.each(Object.entries(firsts) as [State, readonly string[]][])(
    'a job whose model is given back, its question %s',
    (state, names) => {
      test.each(names)('%s, and any other beside it', async (name) => {
        for (const [other, second] of Object.entries(verbs)) {
          const scene = await open(state)
          const refused = await meet(verbs[name]?.(scene) ?? ['select'], second(scene))
          expect(allowed, `${other}: ${refused.join()}`).toEqual(expect.arrayContaining([...refused]))
          expect(await world.violations(), other).toEqual([])
          await wind()
          expect(await world.violations(), other).toEqual([])
          expect(await world.query(leftQuery), other).toEqual([])
          expect(await world.query('select id from interlock.requests where is_away'), other).toEqual([])
        }
      })
    },
  )

  test.each(['complete_jobs', 'return_jobs'])(
    '%s of a job that has it again at that moment has to ask again, and is not refused as stale',
    async (name) => {
      const scene = await open('granted')
      expect(
        await meet(['select interlock.resume_request($1)', scene.request], verbs[name]?.(scene) ?? ['select']),
      ).toEqual(['40001'])
      await wind()
      expect(await world.status(scene.job.job_id)).toBe('completed')
    },
  )
}
