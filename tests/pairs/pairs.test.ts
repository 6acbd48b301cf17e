import { describeAtTheEnd } from './at-the-end.ts'

// `npm run test:long` takes each pair in both orders, rolls the first one back as well, and stops it before each of its statements.
describeAtTheEnd('commit', 'by turns')
