import { describeInside } from './inside.ts'
import { pairs } from './table.ts'

// The two that change tables instead of rows are stopped inside here too; all the others by `npm run test:long`.
const ofTables = ['prune_history', 'ensure_partitions']
describeInside(pairs.filter((pair) => pair.every(({ name }) => ofTables.includes(name))))
