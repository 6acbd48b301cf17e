import { isInterlockError } from '../domain/errors.ts'

interface Waiting<In, Out> {
  readonly item: In
  readonly resolve: (out: Out) => void
  readonly reject: (error: unknown) => void
}

/**
 * Makes of a call that takes many items one that takes a single one: what is asked in the same turn, or while a call is
 * under way, goes together in the next. Sixteen jobs that were claimed at once are confirmed by one statement, and a
 * lone one does not wait for company. The answers come back in the order of the items.
 */
export function coalesce<In, Out>(
  call: (items: readonly In[]) => Promise<readonly Out[]>,
  options: { readonly itemsMax: number },
): (item: In) => Promise<Out> {
  let waiting: Waiting<In, Out>[] = []
  let isCalling = false

  async function settle(batch: readonly Waiting<In, Out>[]): Promise<void> {
    try {
      const answers = await call(batch.map(({ item }) => item))
      batch.forEach(({ resolve, reject }, index) => {
        const answer = answers[index]
        if (answer === undefined) reject(new Error('a batch was answered in part'))
        else resolve(answer)
      })
    } catch (error) {
      // One bad item is not the failure of the others.
      if (batch.length > 1 && !isInterlockError(error, 'unavailable')) {
        for (const one of batch) await settle([one])
      } else for (const { reject } of batch) reject(error)
    }
  }

  async function run(): Promise<void> {
    isCalling = true
    await Promise.resolve()
    while (waiting.length > 0) {
      const batch = waiting.slice(0, options.itemsMax)
      waiting = waiting.slice(options.itemsMax)
      await settle(batch)
    }
    isCalling = false
  }

  return (item) =>
    new Promise<Out>((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      if (!isCalling) void run()
    })
}
