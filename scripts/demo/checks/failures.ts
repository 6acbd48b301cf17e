import { claimsOf, endsOf, type LogEvent } from '../history.ts'
import { judge, seconds, type Verdict } from './verdict.ts'

/** A task that crashes is tried again after its wait, and fails for good after its last attempt. */
export function checkCrash(
  log: readonly LogEvent[],
  { jobId, attempts, delayMs }: { readonly jobId: string; readonly attempts: number; readonly delayMs: number },
): Verdict {
  const claims = claimsOf(log).filter((claim) => claim.jobId === jobId)
  const waits = claims.slice(1).map(({ assigned }, index) => assigned.atMs - (claims[index]?.ended?.atMs ?? 0))
  const last = claims.at(-1)?.ended
  return judge(
    `the task that crashes was retried, then failed for good`,
    [
      ...(claims.length === attempts ? [] : [`${jobId} had ${claims.length} attempts, not ${attempts}`]),
      ...claims
        .slice(0, -1)
        .flatMap(({ ended }) => (ended?.type === 'retried' ? [] : [`an attempt was ${ended?.type}`])),
      ...waits.flatMap((ms) =>
        ms >= delayMs ? [] : [`it was tried again after ${seconds(ms)}, not ${seconds(delayMs)}`],
      ),
      ...(last?.to === 'failed' ? [] : [`its last attempt ended as ${last?.to}`]),
      ...(/exit code 1/.test(last?.reason ?? '') ? [] : [`it says: ${last?.reason}`]),
    ],
    [`${attempts} attempts, ${waits.map(seconds).join(', ')} between them; ${last?.reason}`],
  )
}

/** A task that hangs is stopped at its timeout, and its process is gone. */
export function checkHang(
  log: readonly LogEvent[],
  plan: {
    readonly jobId: string
    readonly timeoutMs: number
    readonly graceMs: number
    readonly stillAlive: readonly number[]
  },
): Verdict {
  const { jobId, timeoutMs, graceMs, stillAlive } = plan
  const [claim, ...more] = claimsOf(log).filter((one) => one.jobId === jobId)
  const ranMs = (claim?.ended?.atMs ?? Number.NaN) - (claim?.started?.atMs ?? Number.NaN)
  const isInTime = ranMs >= timeoutMs - 50 && ranMs <= timeoutMs + graceMs
  return judge(
    `the task that hangs was stopped at its timeout`,
    [
      ...(claim === undefined || more.length > 0
        ? [`${jobId} had ${more.length + (claim === undefined ? 0 : 1)} attempts`]
        : []),
      ...(isInTime
        ? []
        : [`it ran ${seconds(ranMs)}; its timeout is ${seconds(timeoutMs)}, the grace ${seconds(graceMs)}`]),
      ...(endsOf(log, jobId).at(-1)?.to === 'failed' ? [] : ['it did not fail']),
      ...(/stopped after/.test(claim?.ended?.reason ?? '') ? [] : [`it says: ${claim?.ended?.reason}`]),
      ...stillAlive.map((pid) => `its process ${pid} is still alive`),
    ],
    [`it ran ${seconds(ranMs)}; ${claim?.ended?.reason}; its process is gone`],
  )
}
