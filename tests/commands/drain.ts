// The end of a run: everybody comes back, what was switched off is switched on, and all is worked off; nobody is left behind.

import { Violated } from '../property/checks.ts'
import { runDry } from '../property/dry.ts'
import { checkLog } from '../property/log-check.ts'
import { moveClock } from '../property/observation.ts'
import type { Session } from '../property/session.ts'
import { queueNames, registerAgent } from './agent-rules.ts'
import { completeJobs } from './holder-rules.ts'
import { promoteDueJobs, startPausedJob } from './job-rules.ts'
import { absorbTouches, claimJobs, setLimit, setQueue } from './lane-rules.ts'
import type { ModelJob } from './model.ts'
import { type Run, rowsOf } from './run.ts'

export const levels = ['autonomous', 'supervised']

export async function drain(run: Run): Promise<void> {
  run.stage.note(null, 'drain')
  await closeAll(run)
  const session = firstOf(run)
  const everybody = [...run.model.jobs.keys()]
  for (const queue of run.model.pausedQueues) await run.perform(session, setQueue(queue, { is_paused: false }))
  for (const { pattern, capacity, paused } of run.model.limits)
    if (paused || capacity === 0) await run.perform(session, setLimit(pattern, capacity === 0 ? 1 : capacity))
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
  const { slots } = run.observed.seen
  if (slots.length > 0) throw new Violated('not clean at rest', JSON.stringify(slots))
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
    const held = run.model.held().map(({ id, token }) => ({ job: id, token: token ?? 0 }))
    if (held.length > 0) await run.perform(session, completeJobs(held))
    const due = jobsThatAre(run, 'scheduled').map(({ runAt }) => runAt ?? 0)
    if (due.length > 0) {
      await moveClock(run.stage, Math.max(1, Math.max(...due) - run.observed.seen.now))
      await run.perform(session, promoteDueJobs(1000))
    }
    await run.perform(session, absorbTouches(1000))
    for (let more = true; more; ) {
      const [answer] = rowsOf(await run.perform(session, claimJobs(agentId, 1000)))
      more = answer?.more === true
    }
    // What is parked for its patience alone needs the tick.
    if (run.model.held().length === 0 && jobsThatAre(run, 'pending').length > 0) await runDry(run)
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
