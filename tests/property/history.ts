// A random history: the seed's setting, its steps, and at the end everybody comes back and all is worked off.

import { checkAuditor, checkParked, checkSafety, Violated } from './checks.ts'
import { describe } from './describe.ts'
import { claimOnce, finishAll, observe, runDry } from './dry.ts'
import { checkLog } from './log-check.ts'
import { moveClock } from './observation.ts'
import { Random } from './random.ts'
import { priorityStepSeconds, type Setting } from './setting.ts'
import type { Stage } from './stage.ts'
import { closeTransaction, completeJobs, registration, stepOfVerb, steps, weights } from './steps.ts'
import { World } from './world.ts'

export interface Conduct {
  /** Steps left out, to find which ones matter. */
  readonly leftOut?: ReadonlySet<number>
  /** Look at the auditor's view after every step, not only now and then. */
  readonly isClose?: boolean
}

export interface Outcome {
  readonly starts: number
  readonly pauses: ReadonlyMap<string, number>
}

/** The step at which it failed is in the error: a Violated with `step`. */
export async function runHistory(stage: Stage, setting: Setting, conduct: Conduct = {}): Promise<Outcome> {
  stage.transcript.length = 0
  const world = await begin(stage, setting)
  let step = 0
  try {
    for (; step < setting.steps; step++) {
      world.random = Random.for(setting.seed, step)
      if (conduct.leftOut?.has(step) === true) continue
      await takeStep(world)
      // What a step chooses from may be a step old: so it is for real callers.
      const isLooked = step % 2 === 0
      if (isLooked || conduct.isClose === true) {
        const scene = await observe(world, { audit: isLooked ? conduct.isClose === true || step % 8 === 0 : 'glance' })
        if (isLooked) {
          checkSafety(world.scene, scene)
          world.see(scene)
        }
        checkAuditor(scene)
        checkParked(scene)
      }
      if (world.random.chance(0.04)) await runDry(world, conduct)
    }
    world.random = Random.for(setting.seed, -2)
    await workOff(world, conduct)
    return { starts: await checkLog(world), pauses: world.pauses }
  } catch (error) {
    if (error instanceof Violated) {
      error.step = step
      stage.note(null, describe(world.scene))
    }
    throw error
  }
}

async function begin(stage: Stage, setting: Setting): Promise<World> {
  await stage.look('select interlock_test.reset()')
  // What was deleted makes every lookup slower until it is swept; autovacuum comes once a minute.
  if (setting.seed % 20 === 0) await stage.look('vacuum')
  await stage.look('insert into interlock.queues (name) select unnest($1::text[])', [setting.queues])
  const settings = {
    scheduling: setting.scheduling,
    patience_seconds: String(setting.patienceSeconds),
    priority_step_seconds: priorityStepSeconds,
  }
  for (const name of setting.queues) {
    await stage.look('select interlock.set_queue($1, $2::jsonb)', [name, JSON.stringify(settings)])
  }
  for (const { pattern, capacity } of setting.limits) {
    await stage.look('select interlock.set_limit($1, $2)', [pattern, capacity])
  }
  for (const agent of setting.agents) {
    const { values = [], parameters } = registration(agent, 3600)
    await stage.look(`select interlock.register_agent(${parameters})`, values)
  }
  const scene = await observe({ stage }, { audit: false })
  return new World(setting, stage, Random.for(setting.seed, -3), scene)
}

async function takeStep(world: World): Promise<void> {
  const { random, stage } = world
  const paused = stage.paused()
  const open = stage.inTransaction()
  const idle = stage.idle()
  const dice = random.next()
  if (paused.length > 0 && (idle.length === 0 || dice < 0.25)) {
    await stage.resume(random.pick(paused) ?? never())
  } else if (open.length > 0 && (idle.length === 0 || dice > 0.85)) {
    await closeTransaction(world, random.pick(open) ?? never())
  } else {
    const favourite = world.setting.focus === null ? undefined : stepOfVerb[world.setting.focus]
    const name = favourite !== undefined && random.chance(0.12) ? favourite : random.weighed(weights)
    await steps[name](world, random.pick(idle) ?? never())
  }
}

/** Everything is resumed, agents come for every route, and jobs end until none is left. */
async function workOff(world: World, conduct: Conduct): Promise<void> {
  const { stage, setting, random } = world
  stage.note(null, 'work off')
  await finishAll(world)
  world.isArming = false
  world.see(await observe(world, { audit: false }))
  for (const name of setting.queues) await stage.look(`select interlock.set_queue($1, '{"is_paused": false}')`, [name])
  for (const { pattern, capacity, paused } of world.scene.seen.limits) {
    if (paused || capacity === 0)
      await stage.look('select interlock.set_limit($1, $2)', [pattern, capacity === 0 ? 1 : capacity])
  }
  const { values = [], parameters } = registration(
    { name: 'last', queues: setting.queues, levels: setting.levels, slots: 1000 },
    3600,
  )
  await stage.look(`select interlock.register_agent(${parameters})`, values)
  const [session] = stage.sessions
  if (session === undefined) return
  const rounds = 20 + 5 * world.scene.seen.jobs.length
  for (let round = 0; ; round++) {
    if (round === rounds) throw new Violated('jobs wait for ever', `${rounds} rounds`)
    const isDry = round % 5 === 0 || world.held().length === 0
    if (isDry) await runDry(world, conduct)
    else await claimOnce(world)
    const held = world.held()
    const scheduled = world.jobsThatAre('scheduled')
    if (held.length === 0 && scheduled.length === 0 && isDry) break
    if (scheduled.length > 0) {
      await moveClock(stage, 5)
      await stage.look('select interlock.promote_due_jobs(1000)')
    }
    world.isArming = false
    if (random.chance(0.1)) await steps.failJob(world, session)
    else await completeJobs(world, session, random.chance(0.2) ? held.slice(0, 1) : random.some(held, 0.7))
  }
  const waiting = world.jobsThatAre('pending')
  if (waiting.length > 0) throw new Violated('jobs wait for ever', waiting.map(({ id }) => id).join(' '))
  if (world.scene.kept().length > 0) throw new Violated('not clean at rest', JSON.stringify(world.scene.kept()))
}

function never(): never {
  throw new Error('there is no session to choose')
}
