// Two verbs are made to meet: the first one goes as far as it is told in a transaction of its own; the second one is started
// and either ends or is seen to wait for a lock; then the first one's transaction is ended.

import { look } from '../commands/observation.ts'
import { isRefused, type VerbCall } from '../commands/rule.ts'
import { type Called, Run } from '../commands/run.ts'
import { setting } from '../commands/setting.ts'
import { Violated } from '../property/checks.ts'
import { recover } from '../property/recover.ts'
import type { Session } from '../property/session.ts'
import type { Stage } from '../property/stage.ts'
import type { SceneName } from './scenes.ts'
import type { Outcome } from './standing.ts'
import { idIn } from './subjects.ts'

export interface Meeting {
  readonly scene: SceneName
  readonly first: VerbCall
  readonly second: VerbCall
  /** The failpoint inside the first verb at which the second is started; null: after it has answered. */
  readonly at: string | null
  readonly how: 'commit' | 'rollback'
}

export interface Met {
  readonly first: Outcome
  readonly second: Outcome
  /** Whether the second verb had to wait for the first one. */
  readonly waited: boolean
  /** Whether the failpoint was come to. */
  readonly paused: boolean
}

export async function interleave(stage: Stage, meeting: Meeting): Promise<Met> {
  const { scene, first, second, at, how } = meeting
  stage.transcript.length = 0
  const [one, two] = stage.sessions as [Session, Session]
  try {
    await stage.look(`select interlock_test.scene_${scene}()`)
    const run = await Run.begin(setting, stage, { auditedOneIn: 1, ticks: false })
    const armed = at === null ? {} : { armed: { hits: 1, name: at, action: 'pause' as const } }
    const firstCalled = await run.perform(one, first, { opens: true, ...armed })
    const paused = one.state === 'paused'
    const secondCalled = await run.perform(two, second)
    const waited = two.state === 'waiting'
    if (paused) await run.resume(one)
    await run.close(one, how)
    // What was rolled back and nobody waited for has left nothing that the auditor has not seen.
    if (how === 'commit' || waited) await expectDrained(stage)
    return { first: outcomeOf(firstCalled, scene), second: outcomeOf(secondCalled, scene), waited, paused }
  } catch (error) {
    const transcript = [...stage.transcript]
    await recover(stage)
    const title = `${first.verb} ${at === null ? 'has answered' : `pauses at ${at}`}, ${second.verb} comes, ${how} (scene ${scene})`
    if (!(error instanceof Violated)) throw new Error(title, { cause: error })
    throw new Error([title, error.message, ...transcript].join('\n'), { cause: error })
  }
}

/** The failpoints that a verb alone comes to in this scene, each once, in order. */
export async function failpointsPassed(stage: Stage, scene: SceneName, call: VerbCall): Promise<readonly string[]> {
  const [session] = stage.sessions as [Session]
  const passed = new Set<string>()
  for (let hits = 1; ; hits++) {
    await stage.look(`select interlock_test.scene_${scene}()`)
    const run = await Run.begin(setting, stage, { auditedOneIn: 1000, ticks: false })
    await run.perform(session, call, { armed: { hits, name: '', action: 'pause' } })
    const at = session.pausedAt
    if (at === null) return [...passed]
    passed.add(at)
    await run.resume(session)
  }
}

function outcomeOf({ answer }: Called, scene: SceneName): Outcome {
  if (answer === null) throw new Error('it has no answer')
  if (answer.state === '40001') return 'has to ask again'
  if (isRefused(answer)) return 'is refused'
  const [row] = answer.rows
  const counts = ['jobs_returned', 'promote_due_jobs', 'expire_jobs', 'expire_requests'] as const
  if (answer.rows.some(({ held_seconds }) => held_seconds !== undefined) || answer.rows.length === 0)
    return answer.rows.some(({ status }) => status === 'released') ? 'takes effect' : 'has nothing to do'
  // What somebody has locked it leaves to them.
  if (row?.examples !== undefined)
    return (row.examples as readonly string[] | null)?.includes(idIn(scene)) === true
      ? 'takes effect'
      : 'has nothing to do'
  if (row?.resume_request === 'open' || row?.resume_request === 'waiting') return 'has nothing to do'
  if (row?.outcome === 'passed' || row?.outcome === 'unchanged' || row?.is_changed === false) return 'has nothing to do'
  if (row?.ended === 0 && row.lapsed === 0) return 'has nothing to do'
  if (Array.isArray(row?.jobs)) {
    if (row.jobs.some(({ job_id }: { job_id: string }) => job_id === idIn(scene))) return 'takes effect'
    // A lock that was found taken, even if by who is just letting go of all of them.
    return (row.contended as readonly string[]).length > 0 ? 'has to ask again' : 'has nothing to do'
  }
  return counts.some((count) => row?.[count] === 0) ? 'has nothing to do' : 'takes effect'
}

/** Whatever came of it, everybody else can be worked off, and nothing is kept. */
async function expectDrained(stage: Stage): Promise<void> {
  await stage.look('call interlock_test.drain()')
  const { seen } = await look(stage, { audited: true, ticks: false })
  if (seen.violations.length > 0) throw new Violated('the auditor finds something', JSON.stringify(seen.violations))
  const kept = seen.slots.filter(({ job, lane }) => job !== null || lane !== null)
  if (kept.length > 0) throw new Violated('not clean at rest', JSON.stringify(kept))
}
