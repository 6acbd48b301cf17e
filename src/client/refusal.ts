import { InterlockError } from '../domain/errors.ts'

/** As the server would refuse them, for those who are told by an empty answer. */
export function jobNotFound(id: string): InterlockError {
  return new InterlockError('job_not_found', `job ${id} does not exist`)
}

export function requestNotFound(id: string): InterlockError {
  return new InterlockError('job_not_found', `request ${id} does not exist`, { field: 'request_id' })
}

export function clientClosed(): InterlockError {
  return new InterlockError('unavailable', 'the client was closed')
}
