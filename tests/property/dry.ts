// "Dry": everything under way has ended, and agents have claimed until a whole turn changes nothing.

import { checkAuditor, checkReservations, checkWorkConserving, Scene, Violated } from './checks.ts'
import { isRate } from './demand.ts'
import type { Observation } from './observation.ts'
import { moveClock, observationQuery } from './observation.ts'
import { closeTransaction } from './steps.ts'
import type { VerbCall, World } from './world.ts'

const manyTurns = 60
const manyClaims = 200

const observed = observationQuery({ audited: false, ticks: true })
const audited = observationQuery({ audited: true, ticks: true })
const glanced = observationQuery({ audited: true, ticks: false })

/** Each look is a second later than the last one, but for a glance, which leaves no trace. */
export async function observe(
  world: Pick<World, 'stage'>,
  { audit }: { readonly audit: boolean | 'glance' },
): Promise<Scene> {
  const text = audit === 'glance' ? glanced : audit ? audited : observed
  const [row] = await world.stage.look<{ seen: Observation }>(text)
  if (row === undefined) throw new Error('nothing was observed')
  return new Scene(row.seen)
}

/** Lets every pause go on and ends every open transaction, in the order that the seed says. */
export async function finishAll(world: World): Promise<void> {
  while (!world.stage.isQuiet) {
    const session = world.random.pick([...world.stage.paused(), ...world.stage.inTransaction()])
    if (session === undefined) throw new Violated('sessions wait for each other', JSON.stringify(world.stage.states()))
    if (session.state === 'paused') await world.stage.resume(session)
    else await closeTransaction(world, session)
  }
}

/** Absorbs, ticks and claims until nothing more comes of it, then checks what has to be true of a dry database. */
export async function runDry(
  world: World,
  { isClose: isAuditedEachTurn = false }: { readonly isClose?: boolean | undefined } = {},
): Promise<void> {
  world.stage.note(null, 'dry')
  await finishAll(world)
  world.isArming = false
  await giveUpLost(world)
  for (let turn = 0; ; turn++) {
    if (turn === manyTurns) throw new Violated('examined without end', `${manyTurns} turns`)
    while (Number((await ask(world, 'absorb_touches', { parameters: '1000' }))[0]?.absorbed) > 0);
    await tick(world)
    await claimAllRoutes(world)
    world.see(await observe(world, { audit: isAuditedEachTurn }))
    checkAuditor(world.scene)
    if (isStill(world.scene)) break
  }
  world.isArming = true
  world.see(await observe(world, { audit: true }))
  checkAuditor(world.scene)
  checkWorkConserving(world.scene)
  if (world.setting.agents.every(({ slots }) => slots > 100)) checkReservations(world.scene)
}

/** Nothing in the inbox, and no awake lane that an agent with room could examine. */
function isStill(scene: Scene): boolean {
  const served = scene.servedRoutes()
  const isAwake = scene.seen.lanes.some(
    ({ rank, blockedOn, route }) => rank !== null && blockedOn === null && served.has(route),
  )
  return scene.seen.touches === 0 && !isAwake
}

/** What a working system does between two ends of jobs; nothing is checked but what the verbs say. */
export async function claimOnce(world: World): Promise<void> {
  world.isArming = false
  await ask(world, 'absorb_touches', { parameters: '1000' })
  await claimAllRoutes(world)
  world.see(await observe(world, { audit: false }))
}

/** Agents whose lease ends meanwhile would make the end of a turn ambiguous: they are gone, or will be for long. */
async function giveUpLost(world: World): Promise<void> {
  world.see(await observe(world, { audit: false }))
  for (const { id, leaseUntil } of world.agents()) {
    if (leaseUntil > world.scene.seen.now + manyTurns) continue
    await moveClock(world.stage, Math.max(0, leaseUntil - world.scene.seen.now) + 4)
    await ask(world, 'sweep_agent', { parameters: '$1', values: [id] })
    world.see(await observe(world, { audit: false }))
  }
  // A restart is not an absence: routes of agents that ended count as served for five seconds more.
  if (world.scene.seen.agents.some(({ endedAt }) => endedAt !== null && endedAt > world.scene.seen.now - 6)) {
    await moveClock(world.stage, 6)
    world.see(await observe(world, { audit: false }))
  }
}

async function tick(world: World): Promise<void> {
  const { lanes } = world.scene.seen
  if (world.setting.hasTicks && lanes.some(({ blockedOn }) => blockedOn !== null)) {
    for (let after = ''; ; ) {
      const [row] = await ask(world, 'wake_patient_lanes', { parameters: '$1', values: [after] })
      after = String(row?.next_after)
      if (after === '') break
    }
  }
  if (lanes.some(({ blockedOn }) => blockedOn !== null && isRate(blockedOn))) {
    const [row] = await ask(world, 'due_rates')
    for (const rate of (row?.due_rates ?? []) as string[])
      await ask(world, 'wake_rate', { parameters: '$1', values: [rate] })
  }
  if (!lanes.some(({ reserving }) => reserving)) return
  const [row] = await ask(world, 'unserved_reservers')
  for (const lane of (row?.unserved_reservers ?? []) as string[]) {
    await ask(world, 'stop_reserving', { parameters: '$1', values: [lane] })
  }
}

/** Agents claim in the seed's order, until every route has been claimed for. */
async function claimAllRoutes(world: World): Promise<void> {
  const left = new Set(world.agents().flatMap(({ routes }) => routes))
  for (const { id, state, routes, slots } of world.random.shuffled(world.agents())) {
    if (state !== 'active' || !routes.some((route) => left.has(route))) continue
    await claimAll(world, id)
    if (slots > 100) for (const route of routes) left.delete(route)
  }
}

async function claimAll(world: World, agent: string): Promise<void> {
  for (let claims = 0; ; claims++) {
    if (claims === manyClaims) throw new Violated('claimed without end', `${manyClaims} claims by ${agent}`)
    const [row] = await ask(world, 'claim_jobs', { parameters: '$1, null, 1000', values: [agent] })
    const { contended, more } = row as { contended: string[]; more: boolean }
    if (contended.length > 0) throw new Violated('contended, and nobody else is there', contended.join(', '))
    if (!more) return
  }
}

async function ask(world: World, verb: string, call: Partial<VerbCall> = {}): Promise<Record<string, unknown>[]> {
  let rows: readonly Record<string, unknown>[] = []
  const [session] = world.stage.sessions
  if (session === undefined) throw new Error('no session')
  await world.call(session, {
    verb,
    ...call,
    onRows: (answer) => {
      rows = answer
      const [row] = answer
      const started = Array.isArray(row?.jobs)
        ? (row.jobs as { job_id: string }[]).map(({ job_id }) => job_id).join(' ')
        : ''
      return started === '' ? '' : `starts ${started}`
    },
  })
  return [...rows]
}
