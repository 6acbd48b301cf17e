import { setTimeout as sleep } from 'node:timers/promises'
import { isInterlockError } from '../../src/domain/errors.ts'
import type { Database } from '../../src/store/database.ts'
import type { History } from './history.ts'
import type { PlannedJob, Scenario } from './scenario.ts'

export interface Doors {
  /** The coordinators' addresses; a client that gets no answer from one asks another. */
  readonly urls: readonly string[]
  /** By a line of its own. */
  readonly database: Database
}

type Answer = { readonly answer: 'accepted' | 'refused' | 'unknown'; readonly detail: string }

const deadlineMs = 5000
const attemptsMax = 10

/**
 * The clients of a run: each job is sent when its time has come, and sent again under the same id while nobody knows
 * whether it was taken. Resolves when every one has its answer, or was given up as unknown.
 */
export async function generate(scenario: Scenario, doors: Doors, history: History): Promise<void> {
  const startMs = performance.now()
  await Promise.all(
    scenario.jobs.map(async (job) => {
      await sleep(Math.max(0, job.atMs - (performance.now() - startMs)))
      const accepted = await insist(job, doors, history)
      if (accepted && job.cancelAfterMs !== null) {
        await sleep(job.cancelAfterMs)
        await cancel(job, doors, history)
      }
    }),
  )
}

async function insist(job: PlannedJob, doors: Doors, history: History): Promise<boolean> {
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    history.note({ kind: 'asked', what: 'enqueue', jobId: job.id, door: job.door })
    const { answer, detail } = await (job.door === 'http'
      ? post(urlOf(doors, job, attempt), '/jobs', job.request)
      : bySql(doors.database, job.request))
    history.note({ kind: 'answered', what: 'enqueue', jobId: job.id, answer, detail })
    if (answer !== 'unknown') return answer === 'accepted'
    await sleep(Math.min(2000, 200 * 2 ** attempt) * (0.5 + Math.random() / 2))
  }
  return false
}

async function cancel(job: PlannedJob, doors: Doors, history: History): Promise<void> {
  history.note({ kind: 'asked', what: 'cancel', jobId: job.id, door: 'http' })
  const said = await post(urlOf(doors, job, 0), `/jobs/${job.id}/cancel`, { reason: 'the client changed its mind' })
  history.note({ kind: 'answered', what: 'cancel', jobId: job.id, ...said })
}

function urlOf({ urls }: Doors, job: PlannedJob, attempt: number): string {
  return urls[(job.atMs + attempt) % urls.length] ?? ''
}

async function post(url: string, path: string, body: unknown): Promise<Answer> {
  try {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(deadlineMs),
    })
    const detail = `${response.status} ${(await response.text()).slice(0, 200)}`
    if (response.ok) return { answer: 'accepted', detail }
    // 5xx: it may have taken effect all the same.
    return { answer: response.status >= 500 ? 'unknown' : 'refused', detail }
  } catch (error) {
    return { answer: 'unknown', detail: String(error) }
  }
}

async function bySql(database: Database, request: unknown): Promise<Answer> {
  try {
    const rows = await database.query('select job_id from interlock.enqueue_jobs($1)', [JSON.stringify([request])])
    return { answer: 'accepted', detail: JSON.stringify(rows) }
  } catch (error) {
    const isRefusal = isInterlockError(error) && error.code !== 'unavailable' && error.code !== 'internal'
    return { answer: isRefusal ? 'refused' : 'unknown', detail: String(error) }
  }
}
