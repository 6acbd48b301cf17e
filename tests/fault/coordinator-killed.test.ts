import { describe, it } from 'vitest'
import { killAndAttend } from './coordinator-killed.ts'

// Fault 2, where it hurts most; at each statement that it says: coordinator-killed.long.test.ts.

describe.concurrent('a coordinator killed with -9', () => {
  it.for([
    { side: 'after the server', statement: 'claim_jobs', when: 'when its claim is done and it has not heard so' },
    { side: 'after the server', statement: 'sweep_agent', when: 'when it has given an agent up' },
    { side: 'before the server', statement: 'claim_jobs', when: 'as it is about to claim' },
  ] as const)('$when: another one ends what it began, once', ({ side, statement }) => killAndAttend(side, statement))
})
