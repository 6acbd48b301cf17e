import { isInterlockError } from '../domain/errors.ts'
import type { AttemptStore, HeldJob, Verdict } from '../store/attempts.ts'
import type { Outcome } from './outcome.ts'

export interface OutcomeStore extends Pick<AttemptStore, 'confirmCancel' | 'failJob' | 'returnJobs'> {
  readonly completeJob: (job: HeldJob & { readonly result: unknown }) => Promise<Verdict>
}

/** Tells the database how an attempt ended, and returns what it came to: the same, or that the claim was not ours. */
export async function writeOutcome(store: OutcomeStore, job: HeldJob, outcome: Outcome): Promise<Outcome> {
  switch (outcome.kind) {
    case 'completed':
      return ifAccepted([await store.completeJob({ ...job, result: outcome.result })], outcome)
    case 'returned':
      return ifAccepted(await store.returnJobs([job], outcome.reason), outcome)
    case 'failed':
      await store.failJob(job, outcome.error, outcome.retry)
      return outcome
    case 'cancelled':
      return confirmCancel(store, job, outcome)
    case 'forgotten':
      return outcome
  }
}

/** Whether the claim was not ours any more. */
export function isRefused(error: unknown): boolean {
  return isInterlockError(error, 'stale_token') || isInterlockError(error, 'job_not_found')
}

async function confirmCancel(
  store: OutcomeStore,
  job: HeldJob,
  outcome: Extract<Outcome, { kind: 'cancelled' }>,
): Promise<Outcome> {
  try {
    await store.confirmCancel(job, outcome.error)
    return outcome
  } catch (error) {
    if (!isInterlockError(error, 'illegal_transition')) throw error
    const reason = 'it was stopped, and nobody had asked for it'
    return ifAccepted(await store.returnJobs([job], reason), { kind: 'returned', reason })
  }
}

function ifAccepted([verdict]: readonly Verdict[], outcome: Outcome): Outcome {
  return verdict?.accepted === true ? outcome : { kind: 'forgotten', reason: 'stale_token' }
}
