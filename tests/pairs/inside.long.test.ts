import { describeInside } from './inside.ts'
import { pairs } from './table.ts'

// Some 20,000 meetings: half an hour.
describeInside(pairs)
