// The verbs of who holds a job: every one names its token, and a stale one changes nothing.

import { tellDependents } from './dependency-rules.ts'
import type { Claim, Model, ModelJob } from './model.ts'
import { expectRefusal, expectRows, isBeaten, type Row, type Situation, theRow, type VerbCall } from './rule.ts'

const showClaims = (claims: readonly Claim[]) => claims.map(({ job, token }) => `${job} #${token}`).join(', ')
const idsAndTokens = (claims: readonly Claim[]) => [claims.map(({ job }) => job), claims.map(({ token }) => token)]

export function startJobs(claims: readonly Claim[]): VerbCall {
  return {
    verb: 'start_jobs',
    parameters: '$1::text[], $2::bigint[]',
    values: idsAndTokens(claims),
    shown: showClaims(claims),
    rule: (situation) => {
      const { model, at } = situation
      const reasonOf = ({ job, token }: Claim) => {
        if (model.claimOf(job, token) !== 'current') return 'stale_token'
        return isAskedToStop(model, job) ? 'cancel_requested' : null
      }
      const rows = claims.map((claim) => {
        const reason = reasonOf(claim)
        return { job_id: claim.job, token: claim.token, accepted: reason === null, reason }
      })
      expectRows(situation, rows)
      for (const { job_id, accepted } of rows)
        if (accepted && model.jobs.get(job_id)?.status === 'assigned')
          model.change(job_id, { status: 'running', startedAt: at })
    },
  }
}

export function reportProgress(claim: Claim, percent: number): VerbCall {
  return {
    verb: 'report_progress',
    parameters: '$1, $2, $3',
    values: [claim.job, claim.token, percent],
    shown: `${showClaims([claim])}, ${percent}`,
    rule: (situation) => {
      if (isRefusedAsHolder(situation, claim)) return
      theRow(situation)
      situation.model.change(claim.job, { progress: Math.min(Math.max(percent, 0), 100) })
    },
  }
}

export function heartbeatJob(claim: Claim): VerbCall {
  return {
    verb: 'heartbeat_job',
    parameters: '$1, $2',
    values: [claim.job, claim.token],
    shown: showClaims([claim]),
    // Without signs to note it only reads, and waits for nobody: what it saw may be over when it is committed.
    rule: (situation) => {
      const { before, model, answer } = situation
      const wasCurrent = before.claimOf(claim.job, claim.token) === 'current'
      const seen = wasCurrent && answer.state === null ? before : model
      if (!isRefusedAsHolder({ ...situation, model: seen }, claim)) theRow(situation)
    },
  }
}

/** Of a run that has this step. The model does not know what is a run: the table of pairs does. */
export function reportStep(claim: Claim, step: string): VerbCall {
  return {
    verb: 'report_step',
    parameters: '$1, $2, $3',
    values: [claim.job, claim.token, step],
    shown: `${showClaims([claim])}, ${step}`,
    rule: (situation) => {
      if (!isRefusedAsHolder(situation, claim) && situation.answer.state !== 'IL005') theRow(situation)
    },
  }
}

export function appendOutput(claim: Claim, lines: string): VerbCall {
  return {
    verb: 'append_output',
    parameters: '$1, $2, $3::jsonb',
    values: [claim.job, claim.token, JSON.stringify([{ stream: 'stdout', lines }])],
    shown: `${showClaims([claim])}, "${lines}"`,
    rule: (situation) => {
      if (!isRefusedAsHolder(situation, claim)) theRow(situation)
    },
  }
}

export function completeJobs(claims: readonly Claim[]): VerbCall {
  return {
    verb: 'complete_jobs',
    parameters: '$1::text[], $2::bigint[]',
    values: idsAndTokens(claims),
    shown: showClaims(claims),
    rule: (situation) => {
      if (hasGrown(situation, claims)) return
      for (const id of expectReleases(situation, claims)) situation.model.end(id, 'completed')
      // It tells those that wait for them, as far as it can have their rows.
      tellDependents(situation)
    },
  }
}

export function returnJobs(claims: readonly Claim[]): VerbCall {
  return {
    verb: 'return_jobs',
    parameters: `$1::text[], $2::bigint[], 'returned'`,
    values: idsAndTokens(claims),
    shown: showClaims(claims),
    rule: (situation) => {
      if (hasGrown(situation, claims)) return
      for (const id of expectReleases(situation, claims)) putBack(situation.model, id, { attempts: -1 })
    },
  }
}

export function failJob(claim: Claim, retry: string): VerbCall {
  return {
    verb: 'fail_job',
    parameters: `$1, $2, '{"message": "no"}', $3`,
    values: [claim.job, claim.token, retry],
    shown: `${showClaims([claim])}, ${retry}`,
    rule: (situation) => {
      const { model, at } = situation
      if (!['auto', 'now', 'never'].includes(retry)) {
        expectRefusal(situation, 'IL005')
        return
      }
      if (hasGrown(situation, [claim]) || isRefusedAsHolder(situation, claim)) return
      const job = model.jobs.get(claim.job) as ModelJob
      if (job.askedToStopAt !== null) {
        expectRows(situation, [{ status: 'cancelled' }])
        model.end(job.id, 'cancelled')
        return
      }
      const delay = retry === 'auto' ? retryWait(job) : 0
      const isLast = retry === 'never' || job.attempt >= job.maxAttempts
      const status = isLast ? 'failed' : delay > 0 ? 'scheduled' : 'pending'
      expectRows(situation, [{ status }])
      model.move(job.id, status, isLast ? {} : { runAt: at + delay })
    },
  }
}

export function confirmCancel(claim: Claim): VerbCall {
  return {
    verb: 'confirm_cancel',
    parameters: '$1, $2',
    values: [claim.job, claim.token],
    shown: showClaims([claim]),
    rule: (situation) => {
      const job = situation.model.jobs.get(claim.job)
      if (job !== undefined && job.token === claim.token && job.askedToStopAt === null) {
        expectRefusal(situation, 'IL003')
        return
      }
      if (hasGrown(situation, [claim]) || isRefusedAsHolder(situation, claim)) return
      theRow(situation)
      situation.model.end(claim.job, 'cancelled')
    },
  }
}

/** What it waits before it is tried again, in seconds. */
export function retryWait({ attempt, retryDelays }: ModelJob): number {
  const delays = retryDelays ?? [60, 180, 600]
  return delays[Math.min(attempt, delays.length) - 1] ?? 0
}

const isAskedToStop = (model: Model, id: string): boolean => (model.jobs.get(id)?.askedToStopAt ?? null) !== null

/** A job that its holder has lost or given back waits again; one that was asked to stop has stopped. */
export function putBack(model: Model, id: string, { attempts = 0 }: { readonly attempts?: number } = {}): void {
  if (isAskedToStop(model, id)) model.end(id, 'cancelled')
  else model.move(id, 'pending', { attempts })
}

export function isRefusedAsHolder(situation: Situation, { job, token }: Claim): boolean {
  const claim = situation.model.claimOf(job, token)
  if (claim === 'current') return false
  expectRefusal(situation, claim === 'job_not_found' ? 'IL001' : 'IL002')
  return true
}

/** What one of them gave back for a question it may have taken again between the look and the locks. */
function hasGrown(situation: Situation, claims: readonly Claim[]): boolean {
  const requests = [...situation.model.requests.values()]
  const mayGrow = requests.some(({ job, givenBack }) => givenBack !== null && claims.some((claim) => claim.job === job))
  return mayGrow && isBeaten(situation)
}

/** Returns the jobs of the claims that have to be accepted: each once. */
function expectReleases(situation: Situation, claims: readonly Claim[]): string[] {
  const accepted: string[] = []
  const rows: Row[] = claims.map(({ job, token }) => {
    const claim = situation.model.claimOf(job, token)
    const reason = claim !== 'current' ? claim : accepted.includes(job) ? 'stale_token' : null
    if (reason === null) accepted.push(job)
    return { job_id: job, accepted: reason === null, reason }
  })
  expectRows(situation, rows)
  return accepted
}
