import { it } from 'vitest'
import { stampede } from './stampede.ts'

it('10,000 jobs that come due at one instant, and 64 agents started together: no more claims than free slots', () =>
  stampede({ agents: 64, jobs: 10_000 }))
