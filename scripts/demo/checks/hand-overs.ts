import { type Claim, claimsOf, type LogEvent, pendingSince, predecessorOn } from '../history.ts'
import { judge, type Verdict } from './verdict.ts'

export interface HandOver {
  readonly jobId: string
  /** From the moment at which all that it needs was free to the moment at which it was assigned. */
  readonly afterMs: number
  /** The part of it in which an agent of its queue had room: what the scheduler has to answer for. */
  readonly withRoomMs: number
}

const limitMs = 100

/** A job that waited for a model started within 100 ms of its release. */
export function checkHandOvers(log: readonly LogEvent[], queueOf: (jobId: string) => string): Verdict {
  const handOvers = handOversOf(log, queueOf)
  const late = handOvers.filter(({ withRoomMs }) => withRoomMs > limitMs)
  const contradictions = late.map(
    ({ jobId, withRoomMs }) =>
      `${jobId} waited ${withRoomMs.toFixed(0)} ms although all was free and an agent had room`,
  )
  const unserved = handOvers.filter(({ jobId }) => agentsOf(log, queueOf(jobId)).length === 0)
  contradictions.push(
    ...unserved.map(({ jobId }) => `no agent of the queue of ${jobId} is in the log: nothing is measured`),
  )
  const prompt = handOvers.filter(({ afterMs }) => afterMs <= limitMs)
  if (prompt.length === 0) contradictions.push('no job waited for a model and then started at its release')
  const figures = handOvers.map(({ jobId, afterMs, withRoomMs }) => {
    const isFull = afterMs - withRoomMs > 1
    return `${jobId} ${afterMs.toFixed(0)} ms${isFull ? ` (${withRoomMs.toFixed(0)} with room: the agents were full)` : ''}`
  })
  return judge(`a job that waited for a model started within ${limitMs} ms of its release`, contradictions, [
    `assigned minus released, ${handOvers.length} times`,
    ...inLines(figures, 4),
  ])
}

export function handOversOf(log: readonly LogEvent[], queueOf: (jobId: string) => string): readonly HandOver[] {
  const claims = claimsOf(log)
  return claims.flatMap((claim) => {
    const pending = pendingSince(log, claim.jobId, claim.assigned.id)
    const hasWaitedForModel = log.some(
      ({ id, type, jobId, details }) =>
        type === 'blocked' &&
        jobId === claim.jobId &&
        id > (pending?.id ?? 0) &&
        id < claim.assigned.id &&
        String(details?.blocked_on).startsWith('model:'),
    )
    if (pending === null || !hasWaitedForModel) return []
    const releases = claim.resources.flatMap((resource) => predecessorOn(claims, claim, resource)?.ended?.atMs ?? [])
    const readyMs = Math.max(pending.atMs, ...releases)
    const withRoomMs = roomBetween(log, claims, { claim, queue: queueOf(claim.jobId), fromMs: readyMs })
    return [{ jobId: claim.jobId, afterMs: claim.assigned.atMs - readyMs, withRoomMs }]
  })
}

interface Wait {
  readonly claim: Claim
  readonly queue: string
  readonly fromMs: number
}

/** How long, until the claim, some agent of the queue had a free slot. */
function roomBetween(log: readonly LogEvent[], claims: readonly Claim[], { claim, queue, fromMs }: Wait): number {
  const untilMs = claim.assigned.atMs
  const agents = agentsOf(log, queue)
  const goneMs = (agentId: string | null) =>
    log.find(({ type, agentId: gone }) => type === 'agent_gone' && gone === agentId)?.atMs ?? Number.POSITIVE_INFINITY
  const hasRoom = (ms: number) =>
    agents.some(({ agentId, atMs, details }) => {
      if (ms < atMs || ms >= goneMs(agentId)) return false
      const busy = claims.filter(
        (one) =>
          one.agentId === agentId && one.assigned.atMs <= ms && (one.ended?.atMs ?? Number.POSITIVE_INFINITY) > ms,
      )
      return busy.length < Number(details?.slots)
    })
  const changes = claims
    .flatMap(({ assigned, ended }) => [assigned.atMs, ended?.atMs ?? untilMs])
    .filter((ms) => ms > fromMs && ms < untilMs)
  const moments = [fromMs, ...changes.sort((a, b) => a - b), untilMs]
  return moments.slice(0, -1).reduce((sum, ms, index) => sum + (hasRoom(ms) ? (moments[index + 1] ?? ms) - ms : 0), 0)
}

function agentsOf(log: readonly LogEvent[], queue: string): readonly LogEvent[] {
  return log.filter(
    ({ type, details }) =>
      type === 'agent_registered' && Array.isArray(details?.queues) && details.queues.includes(queue),
  )
}

function inLines(words: readonly string[], aLine: number): readonly string[] {
  return Array.from({ length: Math.ceil(words.length / aLine) }, (_, line) =>
    words.slice(line * aLine, (line + 1) * aLine).join(', '),
  )
}
