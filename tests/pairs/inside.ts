import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { failpointsPassed, interleave } from './interleave.ts'
import type { SceneName } from './scenes.ts'
import { openPairStage, type PairStage } from './stage.ts'
import { isOfLock } from './subjects.ts'
import { allScenesOf, meetingsInside, type Pair, titleOf } from './table.ts'

/** The pairs meet with the first verb stopped before each of the statements that it comes to. */
export function describeInside(pairs: readonly Pair[]): void {
  describe('two verbs at once, the first one before any of its statements', () => {
    let world: PairStage
    const failpoints = new Map<string, readonly string[]>()
    const key = (verb: { readonly name: string }, scene: SceneName) => `${verb.name} ${scene}`
    beforeAll(async () => {
      world = await openPairStage({ failpoints: true })
      for (const verb of new Set(pairs.flat()))
        for (const scene of allScenesOf(verb))
          failpoints.set(
            key(verb, scene),
            await failpointsPassed(world.stage, scene, verb.call(world.subjects[isOfLock(scene) ? 'lock' : 'job'])),
          )
    }, 600_000)
    afterAll(() => world.stage.close())

    for (const pair of pairs) {
      it(titleOf(pair), { timeout: 600_000 }, async () => {
        const meetings = meetingsInside(pair, world.subjects, (verb, scene) => failpoints.get(key(verb, scene)) ?? [])
        for (const { expected, ...meeting } of meetings) {
          const met = await interleave(world.stage, meeting)
          expect(met, `${meeting.first.verb} at ${meeting.at}, then ${meeting.second.verb}`).toSatisfy(expected)
        }
      })
    }
  })
}
