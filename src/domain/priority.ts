/**
 * Priority is a head start in seniority: 0 critical, 1 high, 2 normal, 3 low, and any number between. The smaller, the
 * sooner.
 */
export const priorities = { critical: 0, high: 1, normal: 2, low: 3 } as const

export type PriorityName = keyof typeof priorities

export const priorityNames = Object.keys(priorities) as readonly PriorityName[]

export const defaultPriority: PriorityName = 'normal'

export function isPriorityName(word: string): word is PriorityName {
  return Object.hasOwn(priorities, word)
}

/** The number of a name; a number stays as it is. */
export function priorityNumber(priority: PriorityName | number): number {
  return typeof priority === 'number' ? priority : priorities[priority]
}

/** The name nearest to a number, by the same bounds as the queue that it goes to: 1.4 is `high`, 1.5 `normal`. */
export function priorityName(priority: number): PriorityName {
  if (priority < 0.5) return 'critical'
  if (priority < 1.5) return 'high'
  return priority <= 2.5 ? 'normal' : 'low'
}

/** The most urgent of several; null for none. */
export function highestNamed(names: Iterable<PriorityName>): PriorityName | null {
  const given = new Set(names)
  return priorityNames.find((name) => given.has(name)) ?? null
}

/** The queue of a job that names none. */
export function queueOfPriority(priority: number): 'high' | 'default' | 'low' {
  if (priority < 1.5) return 'high'
  return priority > 2.5 ? 'low' : 'default'
}
