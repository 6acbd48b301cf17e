import { describeAtTheEnd } from './at-the-end.ts'

describeAtTheEnd('commit')
describeAtTheEnd('rollback')
