import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Bench } from './bench.ts'
import { on, withSystems } from './opening.ts'
import { roundedFigures } from './rounds.ts'
import { median, quantile } from './statistics.ts'
import { InterlockSystem } from './systems/interlock.ts'
import { randomJobs } from './workload.ts'

/** What a dashboard does: looks, and looks again. */
const dashboards = 100
const dashboardEverySeconds = 2
/** Jobs started and completed a second while the answers are timed. */
const pacePerSecond = 1000
const phaseSeconds = 10

/**
 * `GET /queue/status` over a queue with much in it: how long one answer takes while a thousand jobs a second run, and what
 * a hundred dashboards cost the jobs. The door is a process of its own, as it is in life.
 */
export async function status(bench: Bench): Promise<void> {
  const { claimers } = bench.sizes
  await withSystems(
    [on(bench, 'status', (url) => InterlockSystem.open(url, { claimers: Math.min(claimers, 2) }))],
    (system) => statusOf(bench, system),
  )
}

async function statusOf(bench: Bench, system: InterlockSystem): Promise<void> {
  const { sizes, signal, server } = bench
  const [waiting = 100_000] = sizes.status
  const [, finished = 1_000_000] = sizes.status
  bench.say(`status: ${waiting} waiting and ${finished} finished jobs are put in`)
  await system.block(waiting, signal)
  await system.database.query(
    `insert into interlock.task_history (job_id, outcome, task, kind, user_name, queue, priority, resources, attempts,
       created_at, queued_at, assigned_at, started_at, finished_at)
     select 'past' || n, 'completed', 'bench', 'normal', 'user' || n % 1000, 'default', 2, '{}', 1,
       now() - interval '2 hours', now() - interval '2 hours', now() - interval '1 hour', now() - interval '1 hour', now()
     from generate_series(1, $1) as n`,
    [finished],
  )
  await system.database.query('analyze interlock.task_history')
  await system.database.query('analyze interlock.jobs')
  await server.checkpoint()

  const door = await openDoor(system.database.url)
  try {
    const times = await timed(bench, system, door.url)
    const rounds = { alone: [] as number[], watched: [] as number[] }
    // By turns, so that what the machine does otherwise meets both.
    for (let round = 0; round < sizes.rounds && !signal.aborted; round++) {
      rounds.alone.push(await throughput(bench, system, round * 2))
      const watching = new AbortController()
      const looks = watch(door.url, watching.signal)
      rounds.watched.push(await throughput(bench, system, round * 2 + 1))
      watching.abort()
      await looks
    }
    bench.report({
      scenario: 'status',
      system: 'interlock',
      parameters: { waiting, finished, dashboards, pace: pacePerSecond },
      settings: system.settings,
      jobs_per_second: median(rounds.alone),
      rounds: rounds.alone,
      figures: roundedFigures({
        answers: times.length,
        answer_p50_ms: quantile(times, 0.5),
        answer_p95_ms: quantile(times, 0.95),
        answer_p99_ms: quantile(times, 0.99),
        watched_jobs_per_second: median(rounds.watched),
        cost_percent: 100 * (1 - median(rounds.watched) / median(rounds.alone)),
      }),
    })
  } finally {
    await door.close()
  }
}

/** One who looks ten times a second while jobs run at a steady pace. */
async function timed(bench: Bench, system: InterlockSystem, url: string): Promise<number[]> {
  const ended = new AbortController()
  const run = async (): Promise<void> => {
    for (let batch = 0; !ended.signal.aborted; batch++) {
      const beganMs = performance.now()
      const count = pacePerSecond / 5
      await system.enqueue(randomJobs(count, bench.sizes, bench.sizes.seed + 10_000 + batch))
      await system.drain({ jobs: count, batch: 50, deadlineSeconds: 5, signal: bench.signal })
      await sleep(Math.max(0, 200 - (performance.now() - beganMs)))
    }
  }
  const running = run()
  running.catch(() => ended.abort())
  const times: number[] = []
  const untilMs = performance.now() + phaseSeconds * 1000
  while (performance.now() < untilMs && !bench.signal.aborted) {
    const askedMs = performance.now()
    await (await fetch(`${url}/queue/status`)).text()
    times.push(performance.now() - askedMs)
    await sleep(100)
  }
  ended.abort()
  await running
  return times
}

async function throughput({ sizes, signal }: Bench, system: InterlockSystem, round: number): Promise<number> {
  const jobs = sizes.jobs
  await system.enqueue(randomJobs(jobs, sizes, sizes.seed + 20_000 + round))
  const beganMs = performance.now()
  const { completed } = await system.drain({ jobs, batch: 50, deadlineSeconds: sizes.deadlineSeconds * 3, signal })
  return completed / ((performance.now() - beganMs) / 1000)
}

async function watch(url: string, signal: AbortSignal): Promise<void> {
  const look = async (number: number): Promise<void> => {
    let etag = ''
    await sleep((number / dashboards) * dashboardEverySeconds * 1000)
    while (!signal.aborted) {
      const headers: Record<string, string> = etag === '' ? {} : { 'if-none-match': etag }
      const response = await fetch(`${url}/queue/status`, { headers })
      etag = response.headers.get('etag') ?? ''
      await response.text()
      await sleep(dashboardEverySeconds * 1000, undefined, { signal }).catch(() => undefined)
    }
  }
  await Promise.all(Array.from({ length: dashboards }, (_, number) => look(number)))
}

async function openDoor(databaseUrl: string): Promise<{ readonly url: string; close(): Promise<void> }> {
  const script = fileURLToPath(new URL('./status-server.ts', import.meta.url))
  const child = spawn(process.execPath, [script, databaseUrl], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return {
    url: line.toString().trim(),
    close: async () => {
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}
