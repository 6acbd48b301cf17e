import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { heartbeatAgent, listAssignments } from '../../src/store/agents.ts'
import { createAttemptStore, type HeldJob } from '../../src/store/attempts.ts'
import { registerLeaseAgent } from '../support/lease-agent.ts'
import { Fleet } from './fleet.ts'

const minutes = Number(process.env.INTERLOCK_MINUTES ?? 30)
const jobsPerSecond = 500
const perRequest = 25
const agents = 4

function residentMegabytes(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) / 1024
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN

/** Holds what the coordinator claims for it, and is done with it at once: an agent without processes. */
async function work(fleet: Fleet, name: string, signal: AbortSignal): Promise<number> {
  const { database } = fleet.test
  const agentId = await registerLeaseAgent(database, { name, leaseSeconds: 60 })
  const store = createAttemptStore(database)
  let [done, saidMs] = [0, 0]
  while (!signal.aborted) {
    if (performance.now() - saidMs > 10_000) {
      await heartbeatAgent(database, agentId, [], { cpuPercent: 10, memoryPercent: 10, queueDepth: 0 })
      saidMs = performance.now()
    }
    const held: readonly HeldJob[] = await listAssignments(database, agentId)
    if (held.length === 0) await sleep(20)
    else {
      await store.startJobs(held)
      const verdicts = await store.completeJobs(held.map(({ jobId, token }) => ({ jobId, token, result: null })))
      done += verdicts.filter(({ accepted }) => accepted).length
    }
  }
  return done
}

async function enqueue(url: string, signal: AbortSignal): Promise<number> {
  const beganMs = performance.now()
  let sent = 0
  while (!signal.aborted) {
    const jobs = Array.from({ length: perRequest }, (_, n) => {
      const number = sent + n
      return {
        task: 'work',
        user: `u${number % 3000}`,
        models: [`m${number % 700}`],
        payload: { prompt: 'x'.repeat(200) },
      }
    })
    const response = await fetch(`${url}/jobs/batch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jobs }),
    })
    if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`)
    await response.arrayBuffer()
    sent += perRequest
    const aheadMs = (sent / jobsPerSecond) * 1000 - (performance.now() - beganMs)
    if (aheadMs > 0) await sleep(aheadMs)
  }
  return sent
}

/** As dashboards do. */
async function look(url: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const path of ['/queue/status', '/queue/health', '/jobs?limit=50', '/agents'])
      await (await fetch(`${url}${path}`)).arrayBuffer()
    await sleep(1000)
  }
}

test(`the memory of a coordinator stays what it is through ${minutes} minutes of ${jobsPerSecond} jobs a second`, {
  timeout: (minutes + 5) * 60_000,
}, async () => {
  const fleet = await Fleet.create({ config: '[tasks.work]\ncommand = ["true"]\n' })
  const coordinator = await fleet.serve()
  const ended = new AbortController()
  const { signal } = ended
  const working = Promise.all(Array.from({ length: agents }, (_, n) => work(fleet, `steady-${n}`, signal)))
  const others = Promise.all([enqueue(coordinator.url, signal), look(coordinator.url, signal)])
  const sums = Promise.all([working, others]).finally(() => ended.abort())
  sums.catch(() => undefined)
  const samples: number[] = []
  while (samples.length < minutes * 6 && !signal.aborted) {
    await sleep(10_000)
    samples.push(residentMegabytes(coordinator.pid))
    if (samples.length % 12 === 0) console.log(`${samples.length / 6} min: ${samples.at(-1)?.toFixed(0)} MB`)
  }
  ended.abort()
  const [done, [sent]] = await sums
  const completed = done.reduce((sum, jobs) => sum + jobs, 0)
  // The first third warms up: the heap takes what it may.
  const third = Math.floor(samples.length / 3)
  const [early, late] = [median(samples.slice(third, 2 * third)), median(samples.slice(2 * third))]
  console.log(`${sent} jobs sent, ${completed} completed; ${early.toFixed(1)} MB, then ${late.toFixed(1)} MB`)
  expect(completed).toBeGreaterThan(0.9 * jobsPerSecond * minutes * 60)
  expect(late / early).toBeGreaterThan(0.9)
  expect(late / early).toBeLessThan(1.1)
  await fleet.end()
})
