import { queueSettings } from '../../src/config/schema.ts'
import type { Scene } from './scene.ts'

export interface RightRequest {
  /** The path with what it is about in it. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: Readonly<Record<string, unknown>>
}

/** A right request of every route, by `METHOD /path`. One that is missing here fails the test that looks for it. */
export function rightRequests({
  agent,
  running,
  stepping,
  lock,
  request,
  execution,
}: Scene): Readonly<Record<string, RightRequest>> {
  const motive = { reason: 'why not', actor: 'the test' }
  const filter = {
    user: 'ann',
    project: 'p',
    model: 'flux',
    task: 'work',
    queue: 'default',
    agent: 'worker.1',
    text: 'x',
  }
  const { token } = running
  const held = [{ job_id: running.id, token }]
  const ages = { older_than_seconds: 1, newer_than_seconds: 3600 }
  const many = { ...filter, ...ages, dry_run: true, cursor: 'a1', ...motive }
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
    'POST /jobs/cancel': { path: '/jobs/cancel', body: { ...many, status: ['pending'] } },
    'POST /jobs/requeue': { path: '/jobs/requeue', body: { ...many, status: ['failed'] } },
    'POST /jobs/priority': { path: '/jobs/priority', body: { ...many, status: ['pending'], priority: 'low' } },
    'POST /jobs/:id/start': { path: '/jobs/paused/start', body: motive },
    'POST /jobs/:id/approve': { path: '/jobs/paused/approve', body: motive },
    'POST /jobs/:id/reject': { path: '/jobs/paused/reject', body: motive },
    'POST /jobs/:id/release': { path: '/jobs/nobody/release', body: motive },
    'POST /jobs/:id/priority': { path: '/jobs/waiting/priority', body: { priority: 1, ...motive } },
    'GET /dead-letters': {
      path: '/dead-letters',
      query: { ...filter, error: 'boom', older_than_seconds: '1', newer_than_seconds: '3600', limit: '10' },
    },
    'POST /dead-letters/requeue': { path: '/dead-letters/requeue', body: { ...many, error: 'boom' } },
    'POST /dead-letters/clear': { path: '/dead-letters/clear', body: { ...many, error: 'boom' } },
    'POST /agents': {
      path: '/agents',
      body: {
        name: 'another',
        queues: ['default'],
        slots: 2,
        tasks: ['work'],
        permission_levels: ['autonomous'],
        host: 'here',
        pid: 1,
        lease_seconds: 60,
      },
    },
    'POST /agents/:id/heartbeat': {
      path: `/agents/${agent}/heartbeat`,
      body: { held, cpu_percent: 5, memory_percent: 5, queue_depth: 1 },
    },
    'POST /agents/:id/claim': {
      path: `/agents/${agent}/claim`,
      query: { wait_seconds: '0' },
      body: { limit: 1, held },
    },
    'POST /agents/:id/drain': { path: '/agents/nobody.1/drain', body: motive },
    'POST /agents/:id/suspend': { path: '/agents/nobody.1/suspend', body: motive },
    'POST /agents/:id/resume': { path: '/agents/nobody.1/resume', body: motive },
    'POST /agents/:id/end': { path: '/agents/nobody.1/end', body: { reason: 'why not' } },
    'DELETE /agents/:id': { path: '/agents/nobody.1', body: { reason: 'why not' } },
    'GET /agents/allocation': { path: '/agents/allocation', query: {} },
    'POST /jobs/:id/started': { path: `/jobs/${running.id}/started`, body: { token } },
    'POST /jobs/:id/progress': {
      path: `/jobs/${running.id}/progress`,
      body: { token, percent: 50, description: 'half' },
    },
    'POST /jobs/:id/step': { path: `/jobs/${stepping.id}/step`, body: { token: stepping.token, step: 'draw' } },
    'POST /jobs/:id/output': {
      path: `/jobs/${running.id}/output`,
      body: { token, chunks: [{ stream: 'stdout', lines: 'a line' }] },
    },
    'POST /jobs/:id/heartbeat': { path: `/jobs/${running.id}/heartbeat`, body: { token } },
    // Not with the token that holds it: what else it takes would end the job of the others.
    'POST /jobs/:id/complete': { path: `/jobs/${running.id}/complete`, body: { token: 0, result: { done: true } } },
    'POST /jobs/:id/fail': {
      path: `/jobs/${running.id}/fail`,
      body: { token: 0, error: { message: 'boom', code: 'failed' }, retry: 'auto' },
    },
    'POST /jobs/:id/return': { path: `/jobs/${running.id}/return`, body: { token: 0, reason: 'why not' } },
    'GET /schedules': { path: '/schedules', query: { limit: '10', cursor: 'n' } },
    'GET /schedules/:name': { path: '/schedules/nightly', query: { times: '5' } },
    'PUT /schedules/:name': {
      path: '/schedules/weekly',
      body: {
        cron: '@weekly',
        time_zone: 'Europe/Berlin',
        missed: 'once',
        missed_limit: 10,
        is_paused: false,
        job: { task: 'work' },
      },
    },
    'DELETE /schedules/:name': { path: '/schedules/nobody', query: { actor: 'the test' } },
    'POST /schedules/:name/run': { path: '/schedules/nightly/run', body: { actor: 'the test' } },
    'POST /schedules/:name/pause': { path: '/schedules/nightly/pause', body: { actor: 'the test' } },
    'POST /schedules/:name/resume': { path: '/schedules/nightly/resume', body: { actor: 'the test' } },
    // One that is right never ends; tests/http/events.test.ts asks it what is wrong.
    'GET /events': { path: '/events', query: {} },
    'GET /history/summary': {
      path: '/history/summary',
      query: {
        by: 'task',
        since: '2026-01-01T00:00:00Z',
        until: '2026-01-02T00:00:00Z',
        queue: 'default',
        task: 'work',
        user: 'ann',
        project: 'p',
        limit: '10',
      },
    },
    'GET /metrics': { path: '/metrics' },
    'GET /alarms': { path: '/alarms', query: {} },
    'GET /queues': { path: '/queues' },
    'PATCH /queues/:name': {
      path: '/queues/default',
      body: Object.fromEntries([
        ...Object.keys(queueSettings.shape).map((name) => [name, undefined]),
        ['actor', 'the test'],
      ]),
    },
    'PUT /queues/:name': { path: '/queues/another', body: { max_attempts: 2, actor: 'the test' } },
    'POST /queues/:name/pause': { path: '/queues/another/pause', body: { actor: 'the test' } },
    'POST /queues/:name/resume': { path: '/queues/another/resume', body: { actor: 'the test' } },
    'POST /queues/:name/flush': {
      path: '/queues/another/flush',
      query: { dry_run: '1' },
      body: { user: 'ann', project: 'p', dry_run: true, cursor: 'a1', ...motive },
    },
    'GET /backlog-limits': { path: '/backlog-limits', query: {} },
    'PUT /backlog-limits/:scope': {
      path: '/backlog-limits/task:nobody',
      body: { max_unfinished: 100, when_full: 'refuse', actor: 'the test' },
    },
    'GET /resources': { path: '/resources' },
    'PATCH /resources/:key': {
      path: '/resources/model:sdxl',
      body: { capacity: 2, starts_per_minute: 5, is_paused: false, actor: 'the test' },
    },
    'DELETE /resources/:key': { path: '/resources/model:nobody', body: { actor: 'the test' } },
    'POST /jobs/:id/requests': {
      path: `/jobs/${running.id}/requests`,
      body: {
        token: running.token,
        request_type: 'question',
        message: 'Shall it?',
        context: {},
        expires_in_seconds: 60,
        conversation_id: 'c',
        release_models: false,
      },
    },
    'GET /requests': {
      path: '/requests',
      query: { status: 'open', job: running.id, conversation: 'c', cursor: 'm1', limit: '10' },
    },
    'GET /requests/:id': { path: `/requests/${request}` },
    'GET /requests/:id/response': { path: `/requests/${request}/response`, query: { wait_seconds: '0' } },
    'POST /requests/:id/response': {
      path: `/requests/${request}/response`,
      body: {
        response_type: 'answer',
        message: 'It shall.',
        instructions: ['now'],
        generated_by: 'human',
        responder_id: 'ann',
        actor: 'the test',
      },
    },
    'GET /workflows': { path: '/workflows', query: {} },
    'GET /workflows/:id': { path: '/workflows/render' },
    'PUT /workflows/:id': {
      path: '/workflows/w',
      body: {
        title: 'W',
        description: 'w',
        hold: 'run',
        task: 'work',
        steps: [{ name: 'draw', default_model: 'sdxl' }],
        queue: 'default',
        priority: 'low',
        timeout_seconds: 60,
        max_attempts: 1,
      },
    },
    'POST /workflows/:id/execute': {
      path: '/workflows/render/execute',
      body: { input: {}, user: 'ann', project: 'p', priority: 'low', models: { draw: 'flux' } },
    },
    'GET /workflow-executions/:id': { path: `/workflow-executions/${execution}` },
    'GET /keys': { path: '/keys', query: { limit: '10', cursor: 'a' } },
    'POST /keys': {
      path: '/keys',
      body: { name: 'bob', scopes: ['read'], expires_in_seconds: 60, actor: 'the test' },
    },
    'POST /keys/:id/rotate': {
      path: '/keys/thekeyofann/rotate',
      body: { overlap_seconds: 60, expires_in_seconds: 60, actor: 'the test' },
    },
    'DELETE /keys/:id': { path: '/keys/nobody00', body: { reason: 'why not', actor: 'the test' } },
    'GET /audit': {
      path: '/audit',
      query: {
        actor: 'ann',
        key: 'thekeyofann',
        operation: 'create_key',
        subject: 'thekeyofann',
        outcome: 'done',
        limit: '10',
        cursor: '100',
      },
    },
    'POST /workflow-executions/:id/cancel': { path: '/workflow-executions/nobody/cancel', body: motive },
    'GET /queue/status': { path: '/queue/status' },
    'GET /queue/health': { path: '/queue/health' },
    'GET /livez': { path: '/livez' },
    'GET /readyz': { path: '/readyz' },
  }
}
