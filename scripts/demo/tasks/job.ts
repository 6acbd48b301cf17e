import { appendFileSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'

/** The job as its agent hands it over: JSON on stdin. */
export interface GivenJob {
  readonly job_id: string
  readonly token: number
  readonly attempt: number
  readonly user: string | null
  /** By resource: a number that grows with each grant. */
  readonly fences: Readonly<Record<string, number>>
  readonly payload: { readonly workspace?: string; readonly seconds?: number; readonly text?: string }
}

export async function readJob(): Promise<GivenJob> {
  return (await json(process.stdin)) as GivenJob
}

/** Where the demonstration keeps its files; a job enqueued by hand need not name it. */
export function workspaceOf({ payload }: GivenJob): string {
  return payload.workspace ?? join(tmpdir(), 'interlock-demo')
}

export function progress(percent: number, description: string): void {
  console.log(`::interlock progress ${percent} ${description}`)
}

export function result(value: object): void {
  console.log(`::interlock result ${JSON.stringify(value)}`)
}

/**
 * Writes into the store behind each resource, under the job's fence, that the use of it begins or ends. The store keeps
 * what it is told, in the order in which it is told: whether two uses ever overlapped is read from there afterwards,
 * and not from what the coordinator says of itself.
 */
export function recordUse(job: GivenJob, what: 'begins' | 'goes on' | 'ends'): void {
  const folder = join(workspaceOf(job), 'fenced')
  mkdirSync(folder, { recursive: true })
  for (const [resource, fence] of Object.entries(job.fences)) {
    const line = JSON.stringify({ resource, fence, job_id: job.job_id, what, at: new Date().toISOString() })
    // One write of one line to a file opened for appending: lines of two processes are never mixed.
    appendFileSync(join(folder, `${encodeURIComponent(resource)}.ndjson`), `${line}\n`)
  }
}
