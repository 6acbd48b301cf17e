import type { OperationCall } from './every-operation.ts'

/** Who may ask what. */
export function keyCalls(): readonly OperationCall[] {
  return [
    { method: 'POST', path: '/keys', body: { name: 'ci', scopes: ['enqueue'] } },
    { method: 'GET', path: '/keys' },
    { method: 'GET', path: '/audit' },
    { method: 'POST', path: '/keys/thekeyofann/rotate' },
    { method: 'DELETE', path: '/keys/thekeyofann' },
  ]
}
