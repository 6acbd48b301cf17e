import { z } from 'zod'
import { checkContract } from './contract.ts'
import { jobRequestFields } from './job-request.ts'
import type { Resource } from './resource.ts'

/** One fewer than a job may need: a lock needs itself besides. */
export const maxResourcesPerLock = 31
export const maxLeaseSeconds = 86_400
export const maxLockWaitSeconds = 86_400
export const defaultLeaseSeconds = 60

const resources = jobRequestFields.resources.unwrap()

export const leaseSecondsField = z.int().min(1).max(maxLeaseSeconds)

/** The fields of a request for a manual lock, as every door takes them. */
export const lockRequestFields = {
  resource: resources.element.optional(),
  resources: resources.max(maxResourcesPerLock).optional(),
  owner: z
    .string()
    .regex(/^\P{Cc}*$/u, 'must be without control characters')
    .refine((owner) => owner !== '' && [...owner].length <= 200, 'must have 1 to 200 characters'),
  lease_seconds: leaseSecondsField.default(defaultLeaseSeconds),
  wait_seconds: z.number().min(0).max(maxLockWaitSeconds).default(0),
  priority: jobRequestFields.priority.default('normal'),
  reason: z.string().max(4096).optional(),
} as const

const written = z.strictObject(lockRequestFields).superRefine((request, context) => {
  const named = namedBy(request).length
  if (named >= 1 && named <= maxResourcesPerLock) return
  const message = named === 0 ? 'are required: what is to be locked' : `are more than ${maxResourcesPerLock}`
  context.addIssue({ code: 'custom', path: ['resources'], message })
})

/** What to lock, for whom, and how long it waits and lasts without a word from its owner. */
export interface LockRequest extends Omit<z.output<typeof written>, 'resource' | 'resources'> {
  readonly resources: readonly Resource[]
}

/** Checks a request for a lock. Throws a ContractError that names every field that is wrong. */
export function checkLockRequest(body: unknown): LockRequest {
  const { resource, resources: several, ...request } = checkContract(written, body)
  return { ...request, resources: namedBy({ resource, resources: several }) }
}

function namedBy(request: {
  readonly resource?: Resource | undefined
  readonly resources?: readonly Resource[] | undefined
}): readonly Resource[] {
  const one = request.resource === undefined ? [] : [request.resource]
  return [...new Set([...one, ...(request.resources ?? [])])]
}
