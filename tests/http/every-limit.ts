import type { Scene } from '../refusals/scene.ts'
import type { OperationCall } from './every-operation.ts'

/** How many unfinished jobs there may be, and the end of a whole run. */
export function limitCalls({ execution }: Scene): readonly OperationCall[] {
  return [
    { method: 'PUT', path: '/backlog-limits/all', body: { max_unfinished: 1000 } },
    { method: 'GET', path: '/backlog-limits' },
    { method: 'POST', path: `/workflow-executions/${execution}/cancel`, body: { reason: 'why not' } },
  ]
}
