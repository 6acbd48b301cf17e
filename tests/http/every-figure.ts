import type { OperationCall } from './every-operation.ts'

/** What machines and people look at. */
export function figureCalls(): readonly OperationCall[] {
  return [
    { method: 'GET', path: '/metrics' },
    { method: 'GET', path: '/alarms' },
    { method: 'GET', path: '/events', headers: { accept: 'application/json' } },
  ]
}
