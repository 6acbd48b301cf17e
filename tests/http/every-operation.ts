import type { Scene } from '../refusals/scene.ts'
import { agentCalls } from './every-agent.ts'
import { changeCalls } from './every-change.ts'
import { doorCalls } from './every-door.ts'
import { figureCalls } from './every-figure.ts'
import { keyCalls } from './every-key.ts'
import { limitCalls } from './every-limit.ts'
import { lockCalls } from './every-lock.ts'
import { endCalls, planCalls } from './every-plan.ts'
import { queueCalls } from './every-queue.ts'
import { questionCalls, storyCalls } from './every-story.ts'

export interface OperationCall {
  readonly method: string
  readonly path: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** Calls that succeed, one of every operation at least, in an order in which they do: some end what others speak of. */
export function everyOperation(scene: Scene): readonly OperationCall[] {
  return [
    { method: 'POST', path: '/jobs', body: { task: 'work', id: 'mine', user: 'cy' } },
    { method: 'POST', path: '/jobs/batch', body: { jobs: [{ task: 'work' }, { task: 'work', user: 'cy' }] } },
    { method: 'GET', path: '/jobs?limit=2' },
    { method: 'GET', path: '/jobs/waiting' },
    ...doorCalls(),
    ...storyCalls(scene),
    ...questionCalls(scene),
    ...planCalls(scene),
    ...endCalls(),
    ...queueCalls(),
    ...agentCalls(scene),
    ...lockCalls(scene),
    ...keyCalls(),
    ...figureCalls(),
    ...limitCalls(scene),
    ...changeCalls(scene),
  ]
}
