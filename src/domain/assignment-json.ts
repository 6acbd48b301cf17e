import type { Assignment } from './assignment.ts'
import { asFencingToken, asJobId } from './ids.ts'

/** An assignment as SQL writes it, as a command reads it on stdin, and as HTTP shows it. */
export interface AssignmentJson {
  readonly job_id: string
  readonly token: number
  readonly task: string
  readonly kind: string
  readonly user: string | null
  readonly project: string | null
  readonly queue: string
  readonly attempt: number
  readonly max_attempts: number
  readonly timeout_seconds: number
  readonly payload: Readonly<Record<string, unknown>>
  readonly resources: readonly string[]
  readonly fences: Readonly<Record<string, number>>
}

export function assignmentFromJson(json: AssignmentJson): Assignment {
  return Object.freeze({
    jobId: asJobId(json.job_id),
    token: asFencingToken(json.token),
    task: json.task,
    kind: json.kind,
    user: json.user ?? null,
    project: json.project ?? null,
    queue: json.queue,
    attempt: json.attempt,
    maxAttempts: json.max_attempts,
    timeoutSeconds: json.timeout_seconds,
    payload: json.payload,
    resources: json.resources,
    fences: json.fences,
  })
}

export function assignmentToJson(assignment: Assignment): AssignmentJson {
  return {
    job_id: assignment.jobId,
    token: assignment.token,
    task: assignment.task,
    kind: assignment.kind,
    user: assignment.user,
    project: assignment.project,
    queue: assignment.queue,
    attempt: assignment.attempt,
    max_attempts: assignment.maxAttempts,
    timeout_seconds: assignment.timeoutSeconds,
    payload: assignment.payload,
    resources: assignment.resources,
    fences: assignment.fences,
  }
}
