import { testManyDependents } from './many-dependents.ts'

testManyDependents(10_000)
