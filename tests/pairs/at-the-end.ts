import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { interleave } from './interleave.ts'
import { openPairStage, type PairStage } from './stage.ts'
import { meetingsAtTheEnd, pairs, titleOf } from './table.ts'

/**
 * Every pair: the first verb has answered and is not committed; the second comes; then the first ends so. In both orders, or,
 * where time is short, by turns in the one or the other.
 */
export function describeAtTheEnd(how: 'commit' | 'rollback', orders: 'both' | 'by turns' = 'both'): void {
  describe(`two verbs at once, and the first is ended by a ${how}`, () => {
    let world: PairStage
    beforeAll(async () => {
      world = await openPairStage({ failpoints: false })
    })
    afterAll(() => world.stage.close())

    for (const [n, pair] of pairs.entries()) {
      it(titleOf(pair), async () => {
        for (const { expected, order, ...meeting } of meetingsAtTheEnd(pair, world.subjects)) {
          if (meeting.how !== how) continue
          if (orders === 'by turns' && pair[0] !== pair[1] && order !== n % 2) continue
          const met = await interleave(world.stage, meeting)
          expect(met, `${meeting.first.verb}, then ${meeting.second.verb}, ${meeting.how}`).toSatisfy(expected)
        }
      })
    }
  })
}
