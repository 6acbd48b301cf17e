import type { LogEvent } from '../../demo/history.ts'
import type { Recorded } from '../history.ts'
import type { Finding } from './finding.ts'

/** What a job wrote down that began while a process of another was alive behind the same resource. */
export interface Overlap {
  readonly resource: string
  readonly jobId: string
  readonly token: number
  readonly formerJobId: string
  readonly formerToken: number
  readonly pid: number
  readonly atMs: number
}

interface Span {
  readonly fromMs: number
  readonly toMs: number
}

/** The promise: gone within 2 s of its waking. The rest is for the looking itself, on a machine that is busy. */
const gonePromisedMs = 2000
const slackMs = 500

/** A line of the store's file: RESOURCE JOB TOKEN FORMER-JOB FORMER-TOKEN FORMER-PID UPTIME. */
export function readOverlap(line: string, atUptime: (seconds: number) => number): Overlap {
  const [resource = '', jobId = '', token, formerJobId = '', formerToken, pid, uptime] = line.split(' ')
  return {
    resource,
    jobId,
    token: Number(token),
    formerJobId,
    formerToken: Number(formerToken),
    pid: Number(pid),
    atMs: Math.round(atUptime(Number(uptime))),
  }
}

/**
 * Two processes at once behind one resource. Nobody may see that, but where the machine of the former holder could not
 * know or could not act: its agent and its keeper were stopped, or one of them was stopped and the other killed. There it
 * is promised only that nothing the former one says is accepted, which the log shows.
 */
export function checkOverlaps(
  overlaps: readonly Overlap[],
  log: readonly LogEvent[],
  history: readonly Recorded[],
): { readonly findings: readonly Finding[]; readonly permitted: number } {
  const agents = new Map(
    log.flatMap(({ type, jobId, token, agentId }) => (type === 'assigned' ? [[`${jobId} ${token}`, agentId]] : [])),
  )
  const findings: Finding[] = []
  for (const { resource, jobId, token, formerJobId, formerToken, pid, atMs } of overlaps) {
    const agentId = agents.get(`${formerJobId} ${formerToken}`) ?? null
    const isHelpless =
      agentId !== null && helplessSpans(nameOf(agentId), history).some((s) => s.fromMs <= atMs && atMs <= s.toMs)
    if (!isHelpless)
      findings.push({
        invariant: 'X',
        what: `${jobId} (token ${token}) began on ${resource} at ${atMs} ms while ${formerJobId} (${formerToken}) of ${agentId} lived as ${pid}`,
      })
  }
  return { findings, permitted: overlaps.length - findings.length }
}

/** When both the agent of this name and its keeper were unable to end a job, and 2 s after. */
export function helplessSpans(name: string, history: readonly Recorded[]): readonly Span[] {
  const graceMs = gonePromisedMs + slackMs
  const frozen = history.flatMap((event, n) => {
    if (event.kind !== 'frozen' || event.name !== name) return []
    const woken = history.slice(n).find((later) => later.kind === 'woken' && later.name === name)
    return [{ fromMs: event.atMs, toMs: (woken?.atMs ?? Number.POSITIVE_INFINITY) + graceMs, what: event.what }]
  })
  const isOn = (event: Recorded) => event.kind === 'fault' && event.detail === undefined
  const keeperKills = history.filter((event) => isOn(event) && isFault(event, 'kill keeper') && event.target === name)
  const agentKills = history.filter(
    (event) =>
      isOn(event) && ((isFault(event, 'kill agent') && event.target === name) || isFault(event, 'kill every agent')),
  )
  const spans: Span[] = frozen.filter(({ what }) => what !== 'agent')
  for (const { atMs } of keeperKills) {
    // It takes an agent that runs a moment to see that its keeper is gone, and to end what that left.
    for (const freeze of frozen)
      if (freeze.fromMs - graceMs <= atMs && atMs <= freeze.toMs) spans.push({ fromMs: atMs, toMs: freeze.toMs })
    if (agentKills.some((kill) => Math.abs(kill.atMs - atMs) <= graceMs))
      spans.push({ fromMs: atMs, toMs: Number.POSITIVE_INFINITY })
  }
  return spans
}

/**
 * After its agent and its keeper woke, a job's processes may live on only while it is still theirs. Not judged where
 * something else happened to that agent before they had to be gone.
 */
export function checkWaking(
  log: readonly (LogEvent & { readonly committedMs: number })[],
  history: readonly Recorded[],
): readonly Finding[] {
  const findings: Finding[] = []
  for (const event of history) {
    if (event.kind !== 'outlived') continue
    const { name, jobId, token, wokenAtMs, forMs } = event
    if (forMs !== null && forMs <= gonePromisedMs + slackMs) continue
    const taken = log.find(
      (line) => line.jobId === jobId && line.token === token && line.to !== line.from && isBack(line),
    )
    if (taken === undefined || taken.committedMs > wokenAtMs) continue
    const isDisturbed = history.some(
      (other) =>
        other.atMs >= wokenAtMs &&
        other.atMs <= wokenAtMs + gonePromisedMs + slackMs &&
        ((other.kind === 'frozen' && other.name === name) || (other.kind === 'fault' && other.target.startsWith(name))),
    )
    if (!isDisturbed)
      findings.push({
        invariant: 'X',
        what: `${jobId} (token ${token}) of ${name} was taken back before it woke, and its processes lived for ${forMs ?? 'ever, that is more than 4000'} ms after`,
      })
  }
  return findings
}

const isBack = ({ from, to }: LogEvent) => (from === 'assigned' || from === 'running') && to !== 'running'

function isFault<Event extends Recorded>(
  event: Event,
  fault: string,
): event is Event & Extract<Recorded, { kind: 'fault' }> {
  return event.kind === 'fault' && event.fault === fault
}

function nameOf(agentId: string): string {
  return agentId.slice(0, agentId.lastIndexOf('.'))
}
