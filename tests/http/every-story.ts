import type { Scene } from '../refusals/scene.ts'
import type { OperationCall } from './every-operation.ts'

/** What is told of a job, and what its holder tells. */
export function storyCalls({
  running,
  stepping,
  expendable: [done, broken, unwanted],
}: Scene): readonly OperationCall[] {
  const { id, token } = running
  const chunks = [
    { stream: 'stdout', lines: 'a line\nanother' },
    { stream: 'stderr', lines: 'oh' },
  ]
  return [
    { method: 'POST', path: `/jobs/${id}/started`, body: { token } },
    { method: 'POST', path: `/jobs/${id}/heartbeat`, body: { token } },
    { method: 'POST', path: `/jobs/${id}/progress`, body: { token, percent: 12.5, description: 'drawing' } },
    { method: 'POST', path: `/jobs/${stepping.id}/step`, body: { token: stepping.token, step: 'draw' } },
    { method: 'POST', path: `/jobs/${id}/output`, body: { token, chunks } },
    { method: 'GET', path: `/jobs/${id}/output?limit=1`, headers: { accept: 'application/json' } },
    { method: 'POST', path: `/jobs/${done.id}/complete`, body: { token: done.token, result: { pages: [1, 2] } } },
    {
      method: 'POST',
      path: `/jobs/${broken.id}/fail`,
      body: { token: broken.token, error: { message: 'no ink', pages: 2 } },
    },
    { method: 'POST', path: `/jobs/${unwanted.id}/return`, body: { token: unwanted.token, reason: 'too warm' } },
    { method: 'GET', path: `/jobs/${done.id}/wait` },
    { method: 'GET', path: `/jobs/${id}/wait?timeout_seconds=0` },
    { method: 'GET', path: `/jobs/${done.id}/timeline` },
    { method: 'GET', path: `/jobs/${broken.id}/timeline?limit=2` },
    { method: 'GET', path: `/jobs/${id}/explain` },
    { method: 'GET', path: '/jobs/waiting/explain' },
  ]
}

/** What a job asks, and what it is answered. */
export function questionCalls({ running, request }: Scene): readonly OperationCall[] {
  const question = { token: running.token, message: 'Which one?', context: { of: ['a', 'b'] }, release_models: true }
  return [
    { method: 'GET', path: `/requests/${request}/response` },
    { method: 'POST', path: `/requests/${request}/response`, body: { message: 'It shall.', instructions: ['now'] } },
    { method: 'GET', path: `/requests/${request}/response?wait_seconds=1` },
    {
      method: 'POST',
      path: `/jobs/${running.id}/requests`,
      body: question,
      headers: { 'idempotency-key': 'which' },
    },
    { method: 'GET', path: `/requests/${request}` },
    { method: 'GET', path: '/requests?limit=1' },
    { method: 'GET', path: '/requests?status=open' },
  ]
}
