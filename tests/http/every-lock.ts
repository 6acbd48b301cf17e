import type { Scene } from '../refusals/scene.ts'
import type { OperationCall } from './every-operation.ts'

export function lockCalls({ lock }: Scene): readonly OperationCall[] {
  return [
    { method: 'POST', path: '/locks', body: { resources: ['door:2', 'door:3'], owner: 'cy', lease_seconds: 60 } },
    { method: 'POST', path: '/locks', body: { resource: 'door:1', owner: 'dee', stays_in_line: true } },
    { method: 'GET', path: '/locks' },
    { method: 'GET', path: `/locks/${lock.id}/wait?owner=cy&timeout_seconds=0` },
    { method: 'POST', path: `/locks/${lock.id}/extend`, body: { token: lock.token } },
    { method: 'POST', path: '/locks/sweep', body: { older_than_seconds: 0, dry_run: true } },
    { method: 'DELETE', path: '/locks/door:2?reason=enough' },
  ]
}
