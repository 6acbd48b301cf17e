// Questions to a person, and what a job gives back until it has the answer.

import { byResourceOrder } from '../property/demand.ts'
import { asker, isLent, sendCompanion } from './companion-rules.ts'
import { isRefusedAsHolder } from './holder-rules.ts'
import type { Claim, ModelJob } from './model.ts'
import type { RequestRow } from './observation.ts'
import { disagree, expectRefusal, expectRows, isBeaten, theRow, type VerbCall } from './rule.ts'

export function ask(claim: Claim, { givesBack = false }: { readonly givesBack?: boolean } = {}): VerbCall {
  const question = { message: 'Shall it?', ...(givesBack ? { release_models: true } : {}) }
  return {
    verb: 'ask',
    parameters: '$1, $2, $3::jsonb',
    values: [claim.job, claim.token, JSON.stringify(question)],
    shown: `${claim.job} #${claim.token}${givesBack ? ', giving back' : ''}`,
    rule: (situation) => {
      const { model } = situation
      if (givesBack && isBeaten(situation)) return
      if (isRefusedAsHolder(situation, claim)) return
      const job = model.jobs.get(claim.job) as ModelJob
      const hasLent = [...model.requests.values()].some((request) => isOf(request, job) && isLent(request))
      if (job.status !== 'running' || job.askedToStopAt !== null || (givesBack && hasLent)) {
        expectRefusal(situation, 'IL003')
        return
      }
      const givenBack = givesBack ? lentBy(job) : null
      expectRows(situation, [{ status: 'open', given_back: givenBack }])
      const id = String(theRow(situation).request_id)
      if (model.requests.has(id)) disagree(`the id ${id} was given twice`)
      if (givenBack !== null)
        model.change(job.id, { held: (job.held ?? []).filter((name) => !givenBack.includes(name)) })
      model.requests.set(id, {
        id,
        job: claim.job,
        token: claim.token,
        state: 'open',
        expiresAt: situation.at + 1800,
        givenBack,
        companion: null,
        isResumed: false,
        fence: null,
      })
    },
  }
}

const isOf = ({ job, token }: RequestRow, { id, token: current }: ModelJob): boolean => job === id && token === current

/** Its models, and all that comes after them in the order of resources. */
function lentBy({ resources, held }: ModelJob): readonly string[] | null {
  const first = resources.find((name) => name.startsWith('model:'))
  if (first === undefined) return null
  return (held ?? []).filter((name) => byResourceOrder(name, first) >= 0).toSorted(byResourceOrder)
}

export function answerRequest(id: string): VerbCall {
  return {
    verb: 'answer_request',
    parameters: `$1, '{"message": "It shall."}'`,
    values: [id],
    shown: id,
    rule: (situation) => {
      const { model, before, isCommit } = situation
      const request = model.requests.get(id)
      if (request === undefined) {
        expectRefusal(situation, 'IL001')
        return
      }
      // That its job goes on it asks without a lock.
      const isWaiting = [model, before].map((seen) => asker(seen, request) !== null)
      const isRefusal = situation.answer.state === 'IL003'
      const isOpen = request.state === 'open' && request.expiresAt > situation.at
      if (!isOpen || (!isCommit && isRefusal && isWaiting.includes(false))) {
        expectRefusal(situation, 'IL003')
        return
      }
      if (!isWaiting.includes(true)) disagree(`${request.job} has ended, and was answered`)
      expectRows(situation, [{ response_type: 'answer', resumes: request.givenBack !== null }])
      model.requests.set(id, { ...request, state: 'answered' })
      if (request.givenBack !== null) sendCompanion(situation, id)
    },
  }
}

/** Those whose time is over, or whose job's claim; it leaves those that somebody has locked. */
export function expireRequests(): VerbCall {
  return {
    verb: 'expire_requests',
    parameters: '',
    values: [],
    shown: '',
    rule: (situation) => {
      const { model, at, observed, isAlone, isCommit } = situation
      const settled = Number(theRow(situation).expire_requests)
      const due = [...model.requests.values()].filter(
        (request) => request.state === 'open' && (request.expiresAt <= at || asker(model, request) === null),
      )
      if (!isCommit && (settled > due.length || (isAlone && settled < due.length)))
        disagree(`${settled} were settled, and ${due.length} are due`)
      if (observed === null) return
      for (const request of due) {
        const seen = observed.requests.find(({ id }) => id === request.id)
        if (seen?.state === 'open') continue
        const isOver = asker(model, request) === null
        const state = request.expiresAt <= at ? 'expired' : 'closed'
        // Its job may have ended since: then its claim is found over by who resumes it.
        const isResumed = isOver && isLent(request) && seen?.isResumed === true
        model.requests.set(request.id, { ...request, state, isResumed })
        if (isLent(request) && !isResumed) sendCompanion(situation, request.id)
      }
    },
  }
}
