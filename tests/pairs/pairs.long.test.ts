import { describeAtTheEnd } from './at-the-end.ts'

describeAtTheEnd('rollback')
