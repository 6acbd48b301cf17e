import type { AttemptStore } from '../store/attempts.ts'
import type { AttemptSurroundings } from './attempt.ts'
import { coalesce } from './coalesce.ts'

// What an agent confirms and finishes at the same time goes by one statement.
export function batched(store: AttemptStore): AttemptSurroundings['store'] {
  return {
    ...store,
    startJob: coalesce(store.startJobs, { itemsMax: 100 }),
    completeJob: coalesce(store.completeJobs, { itemsMax: 16 }),
  }
}
