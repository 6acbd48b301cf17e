import { setTimeout as sleep } from 'node:timers/promises'
import { descendantsOf, isStillThere, jobProcesses, signalAll } from './family.ts'
import type { Frozen, History } from './history.ts'
import type { Service } from './service.ts'

const lookedForMs = 4000
const pollMs = 25
const stopped = new WeakSet<Service>()

/**
 * Stops processes of a service for a while. Where the keeper is stopped too, it is looked afterwards how long the
 * processes of its jobs live on: what was taken from them meanwhile they must not run for long.
 */
export async function freeze(service: Service, what: Frozen, forMs: number, history: History): Promise<void> {
  const { name, pid } = service
  if (pid === null) throw new Error(`${name} does not run`)
  // The end of the one would end the other.
  if (stopped.has(service)) throw new Error(`${name} is stopped already`)
  stopped.add(service)
  const keepers = what === 'agent' || what === 'coordinator' ? [] : service.childPids()
  const jobs = what === 'agent and all its processes' ? descendantsOf(keepers) : []
  // The keeper first: it would end the jobs of an agent that it sees stop.
  const frozen = [...keepers, ...jobs, pid]
  history.note({ kind: 'frozen', name, what })
  signalAll(frozen, 'SIGSTOP')
  await sleep(forMs)
  const alive = jobProcesses(descendantsOf(keepers))
  const wokenAtMs = Math.round(history.nowMs)
  history.note({ kind: 'woken', name, what })
  signalAll(frozen, 'SIGCONT')
  stopped.delete(service)

  const gone = new Map<string, number | null>()
  while (alive.length > 0) {
    const left = new Set(alive.filter(isStillThere).map(({ jobId, token }) => `${jobId} ${token}`))
    const forNowMs = Math.round(history.nowMs - wokenAtMs)
    for (const { jobId, token } of alive) {
      const key = `${jobId} ${token}`
      if (!left.has(key) && !gone.has(key)) gone.set(key, forNowMs)
      else if (left.has(key) && forNowMs >= lookedForMs) gone.set(key, null)
    }
    if (left.size === 0 || forNowMs >= lookedForMs) break
    await sleep(pollMs)
  }
  for (const [key, outlivedMs] of gone) {
    const [jobId = '', token] = key.split(' ')
    history.note({ kind: 'outlived', name, jobId, token: Number(token), wokenAtMs, forMs: outlivedMs })
  }
}
