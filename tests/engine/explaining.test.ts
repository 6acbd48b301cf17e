import { describe, expect, test } from 'vitest'
import { Random } from '../property/random.ts'
import { EngineWorld } from './engine-world.ts'
import { type Truth, truthOf } from './true-blocker.ts'

interface Explanation {
  readonly status: string
  readonly sentence: string
  readonly obstacle?: { readonly resource: string }
  readonly blocked_by_job_id?: string
  readonly conflict_reason?: string
  readonly chain?: readonly {
    readonly resource: string
    readonly state: string
    readonly job_id?: string
    readonly status?: string
  }[]
}

const seed = Number(process.env.INTERLOCK_SEED ?? Math.floor(Math.random() * 1e9))
const situations = Number(process.env.INTERLOCK_SITUATIONS ?? 25)

describe('explain_job', () => {
  test(`names the true blocker in random situations (again by INTERLOCK_SEED=${seed})`, async () => {
    const stream = new Random(seed)
    const random = () => stream.next()
    let agreed = 0
    const disagreed: string[] = []
    let obstacles = 0
    for (let n = 0; n < situations; n++) {
      const world = await makeSituation(random)
      const pending = await world.query<{ id: string }>(`select id from interlock.jobs where status = 'pending'`)
      const truth = await truthOf(world)
      for (const { id } of pending) {
        const [row] = await world.query<{ e: Explanation }>('select interlock.explain_job($1) as e', [id])
        if (row === undefined) throw new Error(`no explanation of ${id}`)
        const wrong = wrongIn(row.e, truth, id)
        if (wrong === null) agreed++
        else disagreed.push(`situation ${n}, ${id}: ${wrong}: ${row.e.sentence}`)
        if (row.e.obstacle !== undefined) obstacles++
      }
      await world.test.drop()
    }
    console.log(`${agreed} of ${agreed + disagreed.length} explanations name the true blocker`)
    // A test of explanations that meets no obstacles would agree with anything.
    expect(obstacles).toBeGreaterThan(agreed / 3)
    expect(disagreed.slice(0, 5)).toEqual(
      disagreed.length > (agreed + disagreed.length) / 1000 ? [] : disagreed.slice(0, 5),
    )
  }, 1_200_000)
})

/** What is wrong with an explanation, in words; null: nothing. */
function wrongIn(explanation: Explanation, truth: Truth, jobId: string): string | null {
  const { obstacle, chain = [] } = explanation
  const blockers = truth.blockersOf(jobId)
  if (truth.isPaused(jobId))
    return /is paused/.test(explanation.sentence) ? null : 'its queue is paused, and that is not said'
  if (obstacle === undefined)
    return blockers.length === 0 ? null : `nothing is said to stand in its way, but ${blockers} does`
  if (blockers.length === 0)
    return chain.at(-1)?.state === 'free' ? null : `${obstacle.resource} does not stand in its way`
  if (!blockers.includes(obstacle.resource)) return `${obstacle.resource} does not stand in its way, ${blockers} does`
  const holders = truth.holdersOf(obstacle.resource)
  const [first] = chain
  if (first?.resource !== obstacle.resource) return 'the chain does not begin at the obstacle'
  if (first.state === 'held' && !holders.includes(first.job_id ?? '')) return `${first.job_id} does not hold it`
  if (first.state === 'held' && explanation.blocked_by_job_id !== first.job_id) return 'another job blocks than holds'
  if (holders.length > 0 && first.state === 'free') return 'it is held, not free'
  const last = chain.at(-1)
  if (last?.state === 'reserved' && last.status !== 'about to start') return 'the chain ends at a job that waits'
  return null
}

/** Random jobs, limits and pauses; some jobs run, some have ended; absorbed and claimed dry, or left in the middle. */
async function makeSituation(random: () => number): Promise<EngineWorld> {
  const world = await EngineWorld.create()
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  const users = ['alice', 'bob', 'carol', 'dave']
  const models = ['flux', 'sdxl', 'motion']
  await world.query(`select interlock.set_queue('default', $1)`, [
    JSON.stringify({ patience_seconds: pick([0, 5, 300]), scheduling: pick(['fair', 'fifo']) }),
  ])
  const limit = async () =>
    world.query('select interlock.set_limit($1, $2, p_starts_per_minute => $3)', [
      pick(['model:flux', 'model:*', 'limit:all', 'task:work', 'user:*', 'user:bob']),
      pick([null, 0, 1, 2, 3]),
      random() < 0.15 ? 2 : null,
    ])
  for (let step = 0; step < 14; step++) {
    const dice = random()
    if (dice < 0.35) {
      await world.enqueue(
        ...Array.from({ length: 1 + Math.floor(random() * 6) }, () => ({
          ...(random() < 0.8 ? { user: pick(users) } : {}),
          models: models.filter(() => random() < 0.35),
          queue: pick(['default', 'default', 'low']),
          priority: pick(['critical', 'high', 'normal', 'low']),
        })),
      )
    } else if (dice < 0.6) await world.claim(1 + Math.floor(random() * 4))
    else if (dice < 0.75) await completeSome(world, random)
    else if (dice < 0.85) await limit()
    else if (dice < 0.9) await world.query('select interlock.pause_resource($1, $2)', ['model:sdxl', random() < 0.7])
    else if (dice < 0.93)
      await world.query(`select interlock.set_queue('low', $1)`, [JSON.stringify({ is_paused: random() < 0.6 })])
    else await world.test.advanceClock(10)
  }
  if (random() < 0.7) await world.claim()
  return world
}

async function completeSome(world: EngineWorld, random: () => number): Promise<void> {
  const held = await world.query<{ id: string; token: number }>(
    'select id, token::integer as token from interlock.jobs where held is not null order by id',
  )
  const some = held.filter(() => random() < 0.5)
  if (some.length === 0) return
  await world.query('select interlock.complete_jobs($1, $2)', [some.map((job) => job.id), some.map((job) => job.token)])
}
