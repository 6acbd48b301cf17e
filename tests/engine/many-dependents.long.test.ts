import { testManyDependents } from './many-dependents.ts'

testManyDependents({ children: 10_000, chain: 10_000 })
