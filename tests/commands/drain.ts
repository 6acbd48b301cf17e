// The end of a run: everybody comes back, what was switched off is switched on, and all is worked off; nobody is left behind.

import { Violated } from '../property/checks.ts'
import { isRate } from '../property/demand.ts'
import { runDry } from '../property/dry.ts'
import { checkLog } from '../property/log-check.ts'
import { moveClock } from '../property/observation.ts'
import type { Session } from '../property/session.ts'
import { heartbeatAgent, queueNames, registerAgent } from './agent-rules.ts'
import { completeJobs } from './holder-rules.ts'
import { promoteDueJobs, startPausedJob } from './job-rules.ts'
import { absorbTouches, claimJobs, setQueue } from './lane-rules.ts'
import { pauseResource, setLimit } from './limit-rules.ts'
import { expireLocks } from './lock-end-rules.ts'
import { releaseLock } from './lock-holder-rules.ts'
import { isLock, locksAgent, type ModelJob } from './model.ts'
import { type Run, rowsOf } from './run.ts'

export const levels = ['autonomous', 'supervised']

export async function drain(run: Run): Promise<void> {
  run.stage.note(null, 'drain')
  await closeAll(run)
  const session = firstOf(run)
  const everybody = [...run.model.jobs.keys()]
  for (const queue of run.model.pausedQueues) await run.perform(session, setQueue(queue, { is_paused: false }))
  for (const { pattern, capacity, paused, startsPerMinute } of run.model.limits) {
    if (paused) await run.perform(session, pauseResource(pattern, false))
    if (capacity === 0) await run.perform(session, setLimit(pattern, 1, { startsPerMinute }))
  }
  for (const { id } of jobsThatAre(run, 'paused')) await run.perform(session, startPausedJob(id))
  const registration = { name: 'last', queues: queueNames, levels, slots: 1000, leaseSeconds: 3600 }
  const [row] = rowsOf(await run.perform(session, registerAgent(registration)))
  await runDry(run)
  await workOff(run, session, String(row?.agent_id))
  await runDry(run)

  const left = [...run.model.jobs.values()].filter(({ status }) => status !== 'failed')
  if (left.length > 0) throw new Violated('jobs wait for ever', JSON.stringify(left))
  const lost = everybody.filter((id) => !run.model.jobs.has(id) && !run.model.ended.has(id))
  if (lost.length > 0) throw new Violated('a job was lost', lost.join(' '))
  const kept = run.scene.kept()
  if (kept.length > 0) throw new Violated('not clean at rest', JSON.stringify(kept))
  await checkLog(run)
}

/** Every transaction that is left open is committed. */
async function closeAll(run: Run): Promise<void> {
  while (!run.stage.isQuiet) {
    const [session] = run.openSessions()
    if (session === undefined) throw new Violated('sessions wait for each other', JSON.stringify(run.stage.states()))
    await run.close(session, 'commit')
  }
}

async function workOff(run: Run, session: Session, agentId: string): Promise<void> {
  const rounds = 10 + 2 * run.model.jobs.size
  for (let round = 0; run.model.held().length > 0 || waiting(run).length > 0; round++) {
    if (round === rounds) throw new Violated('jobs wait for ever', `${rounds} rounds: ${JSON.stringify(waiting(run))}`)
    const held = run.model.held().filter((job) => !isLock(job))
    if (held.length > 0)
      await run.perform(session, completeJobs(held.map(({ id, token }) => ({ job: id, token: token ?? 0 }))))
    await endLocks(run, session, round)
    await run.perform(session, heartbeatAgent(agentId, []))
    const due = jobsThatAre(run, 'scheduled').map(({ runAt }) => runAt ?? 0)
    if (due.length > 0) {
      await moveClock(run.stage, Math.max(1, Math.max(...due) - run.observed.seen.now))
      await run.perform(session, promoteDueJobs(1000))
    }
    await run.perform(session, absorbTouches(1000))
    await claimAll(run, session, agentId)
    if (jobsThatAre(run, 'pending').some(isLock)) await claimAll(run, session, locksAgent)
    // What is parked for its patience, or for a minute to pass, needs the tick.
    if (run.model.held().length === 0 && jobsThatAre(run, 'pending').length > 0) {
      if (run.scene.seen.lanes.some(({ blockedOn }) => blockedOn !== null && isRate(blockedOn)))
        await moveClock(run.stage, 60)
      await runDry(run)
    }
  }
}

async function claimAll(run: Run, session: Session, agentId: string): Promise<void> {
  for (let more = true; more; ) {
    const [answer] = rowsOf(await run.perform(session, claimJobs(agentId, 1000)))
    more = answer?.more === true
  }
}

/** By turns their owners release them, they are left to the end of their leases, and somebody takes them away. */
async function endLocks(run: Run, session: Session, round: number): Promise<void> {
  const locks = run.model.held().filter(isLock)
  if (locks.length === 0) return
  if (round % 3 !== 1) {
    for (const { id, token } of locks) await run.perform(session, releaseLock(id, round % 3 === 0 ? token : null))
    return
  }
  const last = Math.max(...locks.map(({ leaseUntil }) => leaseUntil ?? 0))
  await moveClock(run.stage, Math.max(1, last - run.observed.seen.now))
  for (let more = true; more; ) {
    const [answer] = rowsOf(await run.perform(session, expireLocks(1000)))
    more = Number(answer?.lapsed) > 0
  }
}

const jobsThatAre = (run: Run, status: string): ModelJob[] =>
  [...run.model.jobs.values()].filter((job) => job.status === status)
const waiting = (run: Run): ModelJob[] => [...jobsThatAre(run, 'pending'), ...jobsThatAre(run, 'scheduled')]

function firstOf(run: Run): Session {
  const [session] = run.stage.sessions
  if (session === undefined) throw new Error('there is no session')
  return session
}
