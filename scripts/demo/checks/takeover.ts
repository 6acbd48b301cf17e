import { claimsOf, type LogEvent } from '../history.ts'
import { judge, seconds, type Verdict } from './verdict.ts'

/** What was seen from outside when an agent was killed; times are the database's. */
export interface Takeover {
  readonly jobId: string
  readonly agentPid: number
  readonly killedAtMs: number
  /** The processes of the job that ran then, and when none of them was left. */
  readonly pids: readonly number[]
  readonly goneAtMs: number
  /** Of those, the ones that the next attempt still found alive when it began. */
  readonly foundByNext: readonly number[] | null
  /** What a write with the token of the killed claim came to: the SQLSTATE, or that it was accepted. */
  readonly lateWrites: readonly LateWrite[]
}

export interface LateWrite {
  readonly verb: string
  readonly answer: string
}

const takeoverMsMax = 5000

/** The job of a killed agent runs elsewhere in time. */
export function checkTakeover(log: readonly LogEvent[], { jobId, agentPid, killedAtMs }: Takeover): Verdict {
  const [first, second] = claimsOf(log).filter((claim) => claim.jobId === jobId)
  const afterMs = (second?.assigned.atMs ?? Number.NaN) - killedAtMs
  return judge(
    `the job of the agent that was killed ran elsewhere within ${takeoverMsMax / 1000} s`,
    [
      ...(first?.ended?.type === 'lost' ? [] : [`its claim was not lost: ${first?.ended?.type}`]),
      ...(second === undefined ? ['it never ran again'] : []),
      ...(second !== undefined && second.agentId === first?.agentId ? ['it ran on the same agent again'] : []),
      ...(afterMs <= takeoverMsMax ? [] : [`it took ${seconds(afterMs)}`]),
    ],
    [`${first?.agentId} (pid ${agentPid}) was killed with -9, ${second?.agentId} had it ${seconds(afterMs)} later`],
  )
}

/** Its former processes were gone before. */
export function checkFormerProcesses(log: readonly LogEvent[], takeover: Takeover): Verdict {
  const { jobId, pids, goneAtMs, killedAtMs, foundByNext } = takeover
  const second = claimsOf(log).filter((claim) => claim.jobId === jobId)[1]
  return judge(
    'its former processes were gone before it ran again',
    [
      ...(pids.length === 0 ? ['no processes were noted'] : []),
      ...(second !== undefined && goneAtMs < second.assigned.atMs
        ? []
        : ['it was assigned again before they were gone']),
      ...(foundByNext === null ? ['the next attempt did not look'] : []),
      ...(foundByNext ?? []).map((pid) => `the next attempt found process ${pid} alive`),
    ],
    [
      `processes ${pids.join(' and ')} gone ${seconds(goneAtMs - killedAtMs)} after the kill, ` +
        `${seconds((second?.assigned.atMs ?? 0) - goneAtMs)} before the next claim; the next attempt looked too and found none`,
    ],
  )
}

/** Whatever is written late, with the token of the claim that was lost, is refused. */
export function checkLateWrites({ lateWrites }: Takeover): Verdict {
  const contradictions = lateWrites.flatMap(({ verb, answer }) => (answer === 'IL002' ? [] : [`${verb}: ${answer}`]))
  if (lateWrites.length === 0) contradictions.push('nothing was written late')
  return judge('a late write with the old token was refused', contradictions, [
    lateWrites.map(({ verb, answer }) => `${verb}: ${answer} stale_token`).join('; '),
  ])
}
