import { describe, expect, it } from 'vitest'
import { coalesce } from '../../src/agent/coalesce.ts'
import { InterlockError } from '../../src/domain/errors.ts'
import { waitFor } from '../support/wait-for.ts'

describe('coalesce', () => {
  it('sends a lone item at once, and what comes during a call together in the next', async () => {
    const calls: (readonly number[])[] = []
    const gates: (() => void)[] = []
    const double = coalesce(
      async (items: readonly number[]) => {
        calls.push(items)
        await new Promise<void>((resolve) => gates.push(resolve))
        return items.map((item) => item * 2)
      },
      { itemsMax: 3 },
    )
    const first = double(1)
    await Promise.resolve()
    const others = [2, 3, 4, 5].map(double)
    const pass = async () => (await waitFor(() => gates.shift(), { what: 'a call' }))()
    await pass()
    expect(await first).toBe(2)
    await pass()
    await pass()
    expect(await Promise.all(others)).toEqual([4, 6, 8, 10])
    expect(calls).toEqual([[1], [2, 3, 4], [5]])
  })

  it('lets one bad item fail alone', async () => {
    const check = coalesce(
      async (items: readonly number[]) => {
        if (items.includes(13)) throw new InterlockError('invalid_argument', 'unlucky')
        return items
      },
      { itemsMax: 10 },
    )
    const results = await Promise.allSettled([1, 13, 3].map(check))
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })

  it('lets all fail that were sent to a database that is away', async () => {
    let calls = 0
    const send = coalesce(
      async (_: readonly number[]): Promise<readonly number[]> => {
        calls += 1
        throw new InterlockError('unavailable', 'away')
      },
      { itemsMax: 10 },
    )
    const results = await Promise.allSettled([1, 2, 3].map(send))
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect(calls).toBe(1)
  })
})
