import { testManyDependents } from './many-dependents.ts'

testManyDependents(1500)
