import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench } from './bench.ts'
import { measureHttpLatency } from './latency-http.ts'
import { roundedFigures } from './rounds.ts'
import { quantile } from './statistics.ts'
import { openGraphileWorkerService } from './systems/graphile-worker-service.ts'
import { openInterlockService } from './systems/interlock-service.ts'
import type { OpenService } from './systems/service.ts'
import { randomFrom, randomJobs } from './workload.ts'

/** How many are on their way at once while capacity is measured. */
const inFlight = 32
const part = 0.5

/**
 * Enqueue to start, one job a call, through everything: doorbell, dispatcher, notification, agent. An open loop: jobs are
 * sent at random times at half of what the system has just shown that it can do, and each one's clock runs from when it
 * should have been sent, so that a stall is counted in full. Then one at a time through HTTP.
 */
export async function latency(bench: Bench): Promise<void> {
  await openLoop(bench, openInterlockService)
  await openLoop(bench, openGraphileWorkerService)
  if (!bench.signal.aborted) await throughHttp(bench)
}

async function openLoop(bench: Bench, open: OpenService): Promise<void> {
  const { sizes, signal, server } = bench
  const starts = new Map<number, (atMs: number) => void>()
  const service = await open(await server.createDatabase('latency'), (number) =>
    starts.get(number)?.(performance.now()),
  )
  try {
    const { users, models, latencySeconds, seed } = sizes
    const jobs = randomJobs(200_000, { users, models }, seed)
    let sent = 0
    const send = async (): Promise<number> => {
      const number = sent++
      const job = jobs[number % jobs.length]
      if (job === undefined) throw new Error('no jobs')
      const started = Promise.withResolvers<number>()
      starts.set(number, started.resolve)
      await service.send(job, number)
      const atMs = await started.promise
      starts.delete(number)
      return atMs
    }
    const capacity = await capacityOf(send, Math.max(1, latencySeconds / 3), signal)
    bench.say(`latency ${service.name}: ${Math.round(capacity)} jobs/s at most, now half of that`)
    const rate = capacity * part
    const random = randomFrom(seed)
    const waits: Promise<number>[] = []
    const began = performance.now()
    for (let dueMs = 0; dueMs < latencySeconds * 1000 && !signal.aborted; ) {
      dueMs += (-Math.log(1 - random()) * 1000) / rate
      const ahead = began + dueMs - performance.now()
      if (ahead > 1) await sleep(ahead)
      const due = began + dueMs
      const wait = send().then((startedAt) => startedAt - due)
      // Met below, with the others.
      wait.catch(() => undefined)
      waits.push(wait)
    }
    const settled = await Promise.race([Promise.all(waits), sleep(sizes.deadlineSeconds * 1000 + 5000, null)])
    if (settled === null) throw new Error(`${service.name} left jobs unstarted`)
    bench.report({
      scenario: 'latency',
      system: service.name,
      parameters: { load: 'open loop', load_percent: part * 100, users, models },
      settings: service.settings,
      jobs_per_second: Math.round(rate),
      rounds: [],
      figures: roundedFigures({
        capacity_jobs_per_second: capacity,
        samples: settled.length,
        start_ms_p50: quantile(settled, 0.5),
        start_ms_p99: quantile(settled, 0.99),
        start_ms_p999: quantile(settled, 0.999),
      }),
    })
  } finally {
    await service.stop()
  }
}

async function capacityOf(send: () => Promise<number>, seconds: number, signal: AbortSignal): Promise<number> {
  let started = 0
  const until = async (endMs: number): Promise<void> => {
    while (performance.now() < endMs && !signal.aborted) {
      await send()
      started++
    }
  }
  const forSeconds = (length: number): Promise<unknown> => {
    const endMs = performance.now() + length * 1000
    return Promise.all(Array.from({ length: inFlight }, () => until(endMs)))
  }
  await forSeconds(seconds / 3)
  started = 0
  const began = performance.now()
  await forSeconds(seconds)
  return started / ((performance.now() - began) / 1000)
}

async function throughHttp(bench: Bench): Promise<void> {
  const { jobs, ...figures } = await measureHttpLatency(Math.min(200, Math.ceil(bench.sizes.latencySeconds * 5)))
  bench.report({
    scenario: 'latency',
    system: 'interlock',
    parameters: { load: 'one at a time', through: 'http', jobs },
    settings: {},
    jobs_per_second: null,
    rounds: [],
    figures: roundedFigures({
      assigned_ms_p50: figures.assignedMsMedian,
      assigned_ms_p99: figures.assignedMsP99,
      first_line_ms_p50: figures.firstLineMsMedian,
    }),
  })
}
