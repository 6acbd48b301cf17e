import type { FencingToken, JobId } from './ids.ts'

/** What a claim gives to an agent: everything that it needs to run the job, and to prove that it may. */
export interface Assignment {
  readonly jobId: JobId
  readonly token: FencingToken
  readonly task: string
  readonly kind: string
  readonly user: string | null
  readonly project: string | null
  readonly queue: string
  /** Counts from 1. */
  readonly attempt: number
  readonly maxAttempts: number
  readonly timeoutSeconds: number
  readonly payload: Readonly<Record<string, unknown>>
  /** All that it was given, in resource order. */
  readonly resources: readonly string[]
  /** By resource, the number of its latest grant: for the systems behind it to refuse a stale holder. */
  readonly fences: Readonly<Record<string, number>>
}
