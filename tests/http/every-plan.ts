import type { Scene } from '../refusals/scene.ts'
import type { OperationCall } from './every-operation.ts'

/** Workflows and schedules: work that is written down. */
export function planCalls({ execution }: Scene): readonly OperationCall[] {
  const steps = [
    { name: 'draw', default_model: 'sdxl', payload: { size: 2 }, timeout_seconds: 60 },
    { name: 'check', task: 'work', resources: ['gpu:0'], max_attempts: 2 },
  ]
  const workflow = { title: 'Posters', hold: 'step', steps, queue: 'default', priority: 'low' }
  const job = { task: 'work', user: 'ann', models: ['flux'], priority: 'high', payload: {}, retry_delays_seconds: [1] }
  const growing = { task: 'work', retry_delays_seconds: { exponential: { first_seconds: 10 } } }
  return [
    { method: 'PUT', path: '/workflows/posters', body: workflow },
    { method: 'PUT', path: '/workflows/posters', body: { ...workflow, hold: 'run', task: 'work' } },
    { method: 'GET', path: '/workflows' },
    { method: 'GET', path: '/workflows/posters' },
    { method: 'POST', path: '/workflows/render/execute' },
    { method: 'POST', path: '/workflows/posters/execute', body: { input: { n: 1 }, models: { draw: 'flux' } } },
    { method: 'GET', path: `/workflow-executions/${execution}` },
    { method: 'PUT', path: '/schedules/weekly', body: { cron: '@weekly', job } },
    { method: 'PUT', path: '/schedules/weekly?actor=ann', body: { cron: '0 0  * * 1', missed: 'all', job: growing } },
    { method: 'GET', path: '/schedules?limit=1' },
    { method: 'GET', path: '/schedules/weekly?times=2' },
    { method: 'POST', path: '/schedules/weekly/run', headers: { 'idempotency-key': 'week' } },
    { method: 'POST', path: '/schedules/weekly/pause', body: { actor: 'ann' } },
    { method: 'POST', path: '/schedules/weekly/resume' },
    { method: 'DELETE', path: '/schedules/weekly' },
  ]
}

/** What has ended: dead letters, and the history in numbers. */
export function endCalls(): readonly OperationCall[] {
  return [
    { method: 'GET', path: '/dead-letters?user=bob' },
    { method: 'POST', path: '/dead-letters/requeue', body: { user: 'bob', dry_run: true } },
    { method: 'POST', path: '/dead-letters/clear', body: { all: true, reason: 'seen' } },
    { method: 'GET', path: '/history/summary?by=task&limit=1' },
    { method: 'GET', path: '/history/summary?by=user&since=2026-01-01T00:00:00Z&until=2026-03-01T00:00:00Z' },
  ]
}
