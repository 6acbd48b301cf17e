// Pairs that show a defect of the verbs. They are passed over until it is mended, and stand here so that they come back.

import type { Pair } from './table.ts'

interface Defect {
  readonly verbs: readonly [string, string]
  /** Seen only where the first one is stopped before a statement. */
  readonly isInside?: true
}

const defects: readonly Defect[] = [
  // register_agent() reads whether its name is suspended before it waits for whoever is changing that.
  { verbs: ['register_agent', 'suspend_agent'] },
  { verbs: ['register_agent', 'resume_agent'] },
  // What is deleted between the insert of set_schedule() and its lock, it says there is not, instead of making it.
  { verbs: ['set_schedule', 'delete_schedule'], isInside: true },
]

export const awaitsRepair = (pair: Pair, { isInside }: { readonly isInside: boolean }): boolean =>
  defects.some(
    (defect) =>
      pair.every(({ name }) => defect.verbs.includes(name)) &&
      pair[0] !== pair[1] &&
      (isInside || defect.isInside !== true),
  )
