import { testManyDependents } from './many-dependents.ts'

testManyDependents({ children: 1500, chain: 500 })
