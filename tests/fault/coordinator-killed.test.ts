import { describe, it } from 'vitest'
import { killAndAttend } from './coordinator-killed.ts'

// Fault 2, where it hurts most; at each statement that it says: coordinator-killed.long.test.ts.

describe.concurrent('a coordinator killed with -9', () => {
  it.for([
    { side: 'after the server', statement: 'claim_jobs', when: 'when its claim is done and nobody was told' },
    { side: 'after the server', statement: 'sweep_agent', when: 'when it has given an agent up' },
    { side: 'before the server', statement: 'notify_agent', when: 'as it is about to tell the agent' },
  ] as const)('$when: another one ends what it began, once', ({ side, statement }) => killAndAttend(side, statement))
})
