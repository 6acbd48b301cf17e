import type { Scene } from '../refusals/scene.ts'
import type { OperationCall } from './every-operation.ts'

export function agentCalls({ agent, idle: [idle, leaving], running }: Scene): readonly OperationCall[] {
  const another = { name: 'another', queues: ['default'], tasks: ['work'], host: 'here', pid: 1 }
  return [
    { method: 'POST', path: '/agents', body: another },
    { method: 'GET', path: '/agents' },
    { method: 'GET', path: '/agents/allocation' },
    { method: 'POST', path: `/agents/${agent}/heartbeat`, body: { held: [held(running)], cpu_percent: 12.5 } },
    // Of a job that it does not hold it is told to stop it.
    { method: 'POST', path: `/agents/${idle}/heartbeat`, body: { held: [held({ ...running, token: 0 })] } },
    { method: 'POST', path: '/jobs', body: { task: 'work', id: 'claimed', queue: 'default', payload: { a: [1] } } },
    { method: 'POST', path: `/agents/${idle}/claim?wait_seconds=0`, body: { limit: 1 } },
    { method: 'POST', path: `/agents/${idle}/suspend`, body: { reason: 'new driver' } },
    { method: 'POST', path: `/agents/${idle}/resume` },
    { method: 'POST', path: `/agents/${idle}/drain` },
    { method: 'POST', path: `/agents/${idle}/end`, body: { reason: 'done' } },
    { method: 'DELETE', path: `/agents/${leaving}` },
  ]
}

function held({ id, token }: Scene['running']) {
  return { job_id: id, token }
}
