import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { interleave } from './interleave.ts'
import { openPairStage, type PairStage } from './stage.ts'
import { meetingsAtTheEnd, pairs, titleOf } from './table.ts'

/** Every pair, in both orders: the first verb has answered and is not committed; the second comes; then the first ends so. */
export function describeAtTheEnd(how: 'commit' | 'rollback'): void {
  describe(`two verbs at once, and the first is ended by a ${how}`, () => {
    let world: PairStage
    beforeAll(async () => {
      world = await openPairStage({ failpoints: false })
    })
    afterAll(() => world.stage.close())

    for (const pair of pairs) {
      it(titleOf(pair), async () => {
        for (const { expected, ...meeting } of meetingsAtTheEnd(pair, world.subjects)) {
          if (meeting.how !== how) continue
          const met = await interleave(world.stage, meeting)
          expect(met, `${meeting.first.verb}, then ${meeting.second.verb}, ${meeting.how}`).toSatisfy(expected)
        }
      })
    }
  })
}
