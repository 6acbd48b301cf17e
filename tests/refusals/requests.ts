import type { Scene } from './scene.ts'

export interface RightRequest {
  /** The path with what it is about in it. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: Readonly<Record<string, unknown>>
}

/** A right request of every route, by `METHOD /path`. One that is missing here fails the test that looks for it. */
export function rightRequests({ running, lock }: Scene): Readonly<Record<string, RightRequest>> {
  const motive = { reason: 'why not', actor: 'the test' }
  return {
    'GET /agents': { path: '/agents', query: {} },
    'GET /jobs': {
      path: '/jobs',
      query: { status: 'pending', user: 'ann', task: 'work', queue: 'default', model: 'flux', limit: '10' },
    },
    'POST /jobs': { path: '/jobs', body: { task: 'work', user: 'ann' } },
    'POST /jobs/batch': { path: '/jobs/batch', body: { jobs: [{ task: 'work' }] } },
    'GET /jobs/:id': { path: '/jobs/waiting' },
    'POST /jobs/:id/cancel': { path: '/jobs/waiting/cancel', body: motive },
    'POST /jobs/:id/requeue': { path: '/jobs/dead/requeue', body: motive },
    'DELETE /jobs/:id': { path: '/jobs/paused', body: motive },
    'GET /jobs/:id/explain': { path: '/jobs/waiting/explain' },
    'GET /jobs/:id/output': { path: `/jobs/${running.id}/output`, query: {} },
    'GET /jobs/:id/timeline': { path: '/jobs/waiting/timeline' },
    'GET /jobs/:id/wait': { path: '/jobs/waiting/wait', query: { timeout_seconds: '0' } },
    'GET /locks': { path: '/locks', query: { resource: 'door:1', owner: 'cy', kind: 'lock', limit: '10' } },
    'POST /locks': {
      path: '/locks',
      body: {
        resources: ['door:2'],
        owner: 'cy',
        lease_seconds: 60,
        wait_seconds: 0,
        priority: 'high',
        reason: 'why not',
        actor: 'the test',
        stays_in_line: false,
      },
    },
    'GET /locks/:id/wait': { path: `/locks/${lock.id}/wait`, query: { owner: 'cy', timeout_seconds: '0' } },
    'POST /locks/:id/extend': { path: `/locks/${lock.id}/extend`, body: { token: lock.token, lease_seconds: 60 } },
    'POST /locks/sweep': { path: '/locks/sweep', body: { older_than_seconds: 3600, dry_run: true, actor: 'the test' } },
    'DELETE /locks/:key': {
      path: '/locks/door:3',
      query: { job_id: 'nobody', token: '1', reason: 'why not', actor: 'the test' },
    },
    'GET /queue/status': { path: '/queue/status' },
    'GET /queue/health': { path: '/queue/health' },
    'GET /livez': { path: '/livez' },
    'GET /readyz': { path: '/readyz' },
  }
}
