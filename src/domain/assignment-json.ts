import { z } from 'zod'
import type { Assignment } from './assignment.ts'
import { asFencingToken, asJobId } from './ids.ts'

/** An assignment as SQL writes it, as a command reads it on stdin, and as HTTP shows it. */
export const assignmentJson = z
  .object({
    job_id: z.string(),
    token: z.int().describe('The fencing token: every report of the holder names it.'),
    task: z.string(),
    kind: z.string(),
    user: z.string().nullable(),
    project: z.string().nullable(),
    queue: z.string(),
    attempt: z.int().describe('Counts from 1.'),
    max_attempts: z.int(),
    timeout_seconds: z.number(),
    payload: z.record(z.string(), z.unknown()).readonly(),
    resources: z.array(z.string()).readonly(),
    fences: z
      .record(z.string(), z.int())
      .readonly()
      .describe('By resource, the number of its latest grant: for the systems behind it to refuse a stale holder.'),
  })
  .readonly()
  .meta({ id: 'Assignment' })
export type AssignmentJson = z.output<typeof assignmentJson>

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
