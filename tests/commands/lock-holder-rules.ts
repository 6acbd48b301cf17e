// The verbs of who holds a manual lock, or takes it from its owner.

import { secondsOf } from './lock-rules.ts'
import { isLock } from './model.ts'
import { disagree, expectRefusal, expectRows, isBeaten, theRow, type VerbCall } from './rule.ts'

/** Null: as long as before. */
export function extendLock(id: string, token: number, leaseSeconds: number | null): VerbCall {
  return {
    verb: 'extend_lock',
    parameters: '$1, $2, $3',
    values: [id, token, leaseSeconds],
    shown: `${id} #${token}, ${leaseSeconds ?? 'as before'}`,
    rule: (situation) => {
      const { model, at } = situation
      const job = model.jobs.get(id)
      if (leaseSeconds !== null && leaseSeconds < 1) {
        expectRefusal(situation, 'IL005')
        return
      }
      const isHeld = job !== undefined && isLock(job) && job.status === 'running' && job.token === token
      if (!isHeld || job.askedToStopAt !== null || (job.leaseUntil ?? 0) <= at) {
        expectRefusal(situation, model.jobs.has(id) || model.ended.has(id) ? 'IL002' : 'IL001')
        return
      }
      const seconds = leaseSeconds ?? job.timeoutSeconds
      const until = secondsOf(theRow(situation).lease_until)
      if (until !== at + seconds) disagree(`its lease had to end at ${at + seconds}, and ends at ${until}`)
      model.change(id, { leaseUntil: at + seconds, timeoutSeconds: seconds })
    },
  }
}

/** Without a token: by whoever may. */
export function releaseLock(id: string, token: number | null): VerbCall {
  return {
    verb: 'release_lock',
    parameters: '$1, $2',
    values: [id, token],
    shown: `${id}${token === null ? ' by force' : ` #${token}`}`,
    rule: (situation) => {
      const { model } = situation
      const job = model.jobs.get(id)
      const hasEnded = model.ended.has(id)
      if (token === null && isBeaten(situation)) return
      if (job === undefined) expectRefusal(situation, hasEnded ? (token === null ? 'IL009' : 'IL002') : 'IL001')
      else if (!isLock(job)) expectRefusal(situation, 'IL009')
      else if (token !== null && model.claimOf(id, token) !== 'current') expectRefusal(situation, 'IL002')
      else {
        expectRows(situation, [{ status: job.held === null ? 'withdrawn' : 'released' }])
        model.end(id, token === null ? 'cancelled' : 'completed')
      }
    },
  }
}
