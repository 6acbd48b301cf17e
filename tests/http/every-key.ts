import type { OperationCall } from './every-operation.ts'

/** Keys: one is made, and what else needs its id is in keys.test.ts, but for what names it by its name. */
export function keyCalls(): readonly OperationCall[] {
  return [
    { method: 'POST', path: '/keys', body: { name: 'ci', scopes: ['enqueue'] } },
    { method: 'GET', path: '/keys' },
    { method: 'GET', path: '/audit' },
  ]
}
