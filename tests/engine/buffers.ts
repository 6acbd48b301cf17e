import type { EngineWorld } from './engine-world.ts'

/** What the planner knows of the tables when the verbs' plans are made. */
export type Statistics = 'absent' | 'stale' | 'fresh'

export interface Touched {
  /** Buffers touched for each job. */
  readonly enqueue: number
  readonly absorb: number
  readonly claim: number
  readonly complete: number
  /** Buffers touched by a call. */
  readonly claimNothing: number
  readonly tick: number
  readonly explain: number
}

interface Explained {
  readonly 'QUERY PLAN': readonly [
    { readonly Plan: { readonly 'Shared Hit Blocks': number; readonly 'Shared Read Blocks': number } },
  ]
}

/**
 * At most so many, whatever waits: about twice what was counted behind 1,000 waiting jobs (enqueue 48, absorb 38, claim 197,
 * complete 78, claiming nothing 10, a tick's look for patient lanes 2,500, explaining 285, and up to
 * 3,200 where it counts a thousand before it).
 */
export const mostTouched: Touched = {
  enqueue: 100,
  absorb: 80,
  claim: 400,
  complete: 160,
  claimNothing: 40,
  tick: 5000,
  explain: 5000,
}

/** What of it is beyond the most, in words. */
export function tooMuch(touched: Touched): readonly string[] {
  return (Object.keys(mostTouched) as (keyof Touched)[])
    .filter((name) => touched[name] > mostTouched[name])
    .map((name) => `${name} touches ${touched[name]} buffers, more than ${mostTouched[name]}`)
}

/**
 * Puts so many waiting jobs there, half of them of one busy user and the others one or two a user, and counts the buffers
 * that the hot verbs touch. Buffers, unlike milliseconds, are the same on a noisy machine; a plan that reads a table, or an
 * index from end to end, shows.
 */
export async function touchedBehind(world: EngineWorld, rows: number, statistics: Statistics): Promise<Touched> {
  if (statistics === 'stale') await world.query('analyze')
  const agent = await world.register('counted', { slots: 1000 })
  await fill(world, rows)
  if (statistics === 'fresh') await world.query('analyze')
  // The busy user runs one, and the rest of theirs is parked.
  await world.claimOnce(1, agent)
  for (let n = 0; n < 4; n++) await world.claimOnce(10, agent)

  const jobs = Array.from({ length: 10 }, (_, n) => ({
    task: 'work',
    user: `late${n}`,
    models: [`late${n}`],
    queue: 'default',
  }))
  const enqueue = (await touched(world, 'select * from interlock.enqueue_jobs($1)', [JSON.stringify(jobs)])) / 10
  const absorb = (await touched(world, 'select * from interlock.absorb_touches(1000)')) / 10
  const before = await running(world)
  const claimed = await touched(world, 'select * from interlock.claim_jobs($1, null, 10)', [agent])
  const after = await running(world)
  const started = after.filter((job) => !before.some((other) => other.id === job.id))
  if (started.length < 5) throw new Error(`only ${started.length} jobs started`)
  const held = [started.map((job) => job.id), started.map((job) => job.token)]
  const completed = await touched(world, 'select * from interlock.complete_jobs($1, $2)', held)
  return {
    enqueue,
    absorb,
    claim: claimed / started.length,
    complete: completed / started.length,
    claimNothing: await touched(world, `select * from interlock.claim_jobs($1, '{low/autonomous}', 10)`, [agent]),
    tick: await touched(world, 'select * from interlock.wake_patient_lanes()'),
    explain: await touched(
      world,
      `select interlock.explain_job((select max(id) from interlock.jobs where user_name = 'busy' and status = 'pending'))`,
    ),
  }
}

async function fill(world: EngineWorld, rows: number): Promise<void> {
  await world.enqueue({ user: 'busy' })
  await world.absorb()
  await world.claimOnce(1)
  for (let from = 0; from < rows; from += 1000) {
    const jobs = Array.from({ length: Math.min(1000, rows - from) }, (_, n) =>
      n % 2 === 0
        ? { user: 'busy', models: n % 4 === 0 ? [] : [`m${n % 20}`] }
        : { user: `u${(from + n) % (rows * 0.6)}`, models: [`m${(from + n) % Math.max(rows / 10, 20)}`] },
    )
    await world.enqueue(...jobs)
  }
  await world.absorb()
}

async function touched(world: EngineWorld, text: string, values: readonly unknown[] = []): Promise<number> {
  const [row] = await world.query<Explained>(`explain (analyze, buffers, timing off, format json) ${text}`, values)
  const plan = row?.['QUERY PLAN'][0].Plan
  if (plan === undefined) throw new Error('no plan')
  return plan['Shared Hit Blocks'] + plan['Shared Read Blocks']
}

function running(world: EngineWorld): Promise<{ id: string; token: number }[]> {
  return world.query(`select id, token::integer as token from interlock.jobs where held is not null`)
}
