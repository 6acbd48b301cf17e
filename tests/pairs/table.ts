// The table of pairs: which verb wins, in either order, and what has to be seen when they meet.

import type { Meeting, Met } from './interleave.ts'
import type { SceneName } from './scenes.ts'
import { type Outcome, type PairVerb, standingOf } from './standing.ts'
import { isOfLock, type Subjects } from './subjects.ts'
import { pairVerbs } from './verbs.ts'

export type Pair = readonly [PairVerb, PairVerb]

/** Every pair, a verb with itself too. */
export const pairs: readonly Pair[] = pairVerbs.flatMap((a, n) => pairVerbs.slice(n).map((b) => [a, b] as const))

/** Both orders; of a verb with itself there is one. */
export function orders([a, b]: Pair): readonly Pair[] {
  return a === b
    ? [[a, a]]
    : [
        [a, b],
        [b, a],
      ]
}

/** Where the first one of a pair is called: what is for manual locks alone meets the others on one of them. */
const scenesOf = ([first, second]: Pair): readonly SceneName[] =>
  second.isForLocks === true ? (first.lockScenes ?? first.scenes) : first.scenes

/** What the second verb comes to in this scene: by itself, and after the first one. */
function prospects([first, second]: Pair, scene: SceneName): { alone: Outcome; after: Outcome } {
  const standing = standingOf(scene)
  const changes = first.outcome(standing) === 'takes effect' || first.alwaysChanges === true
  const changed = changes ? (first.after?.(standing) ?? standing) : standing
  return { alone: second.outcome(standing), after: second.outcome(changed) }
}

export function titleOf(pair: Pair): string {
  const [a, b] = pair
  return `${a.name} and ${a === b ? 'itself' : b.name}: ${orders(pair).map(winnerOf).join('; ')}`
}

function winnerOf([first, second]: Pair): string {
  const ends = scenesOf([first, second]).map((scene) => {
    const { alone, after } = prospects([first, second], scene)
    const name = first === second ? 'the second' : second.name
    if (first.outcome(standingOf(scene)) === 'is refused') return `it is refused, and ${name} ${alone}`
    if (alone === after) return after === 'takes effect' ? 'both take effect' : `it alone, for ${name} ${after}`
    if (after === 'takes effect') return `both take effect, the second thanks to the first`
    return `${first === second ? 'the first' : first.name} wins, ${name} ${after}`
  })
  return `${first === second ? '' : `${first.name} first: `}${[...new Set(ends)].join(', or ')}`
}

/** All the scenes in which a verb may have to be stopped inside. */
export const allScenesOf = ({ scenes, lockScenes = [] }: PairVerb): readonly SceneName[] => [
  ...new Set([...scenes, ...lockScenes]),
]

export interface ExpectedMeeting extends Meeting {
  readonly expected: (met: Met) => boolean
}

/** One of two verbs that has answered; `order` is 0 where it is the pair's first, 1 where it is its second. */
export interface MeetingAtTheEnd extends ExpectedMeeting {
  readonly order: number
}

/** The first verb has answered, and is not committed yet. */
export function meetingsAtTheEnd(pair: Pair, subjects: Subjects): MeetingAtTheEnd[] {
  return orders(pair).flatMap(([first, second], order) =>
    scenesOf([first, second]).flatMap((scene) => {
      const subject = subjects[isOfLock(scene) ? 'lock' : 'job']
      const { alone, after } = prospects([first, second], scene)
      const itself = first.outcome(standingOf(scene))
      return (['commit', 'rollback'] as const).map((how) => ({
        order,
        scene,
        first: first.call(subject),
        second: second.call(subject),
        at: null,
        how,
        // Who had to wait comes after what was committed; who had not has not seen it.
        expected: (met: Met) =>
          met.first === itself &&
          (met.second === (met.waited && how === 'commit' ? after : alone) ||
            (second.looksFirst === true && met.second === alone) ||
            isPassedOver(met.second, met)),
      }))
    }),
  )
}

/** The first verb stands before one of its statements: either may come first, and what follows is as if one by one. */
export function meetingsInside(
  pair: Pair,
  subjects: Subjects,
  failpointsOf: (verb: PairVerb, scene: SceneName) => readonly string[],
): ExpectedMeeting[] {
  return orders(pair).flatMap(([first, second]) =>
    scenesOf([first, second]).flatMap((scene) => {
      const subject = subjects[isOfLock(scene) ? 'lock' : 'job']
      const there = prospects([first, second], scene)
      const back = prospects([second, first], scene)
      return failpointsOf(first, scene).map((at) => ({
        scene,
        first: first.call(subject),
        second: second.call(subject),
        at,
        how: 'commit' as const,
        expected: (met: Met) =>
          (met.first === back.alone && (met.second === there.after || isPassedOver(met.second, met))) ||
          (met.second === there.alone && (met.first === back.after || isPassedOver(met.first, met))) ||
          ((first.looksFirst ?? second.looksFirst) === true && met.first === back.alone && met.second === there.alone),
      }))
    }),
  )
}

/** Who passes over what is locked finds nothing meanwhile; an agent that was given a job meanwhile is not given up yet, and
 *  a claim that found a lock taken comes back. */
function isPassedOver(outcome: Outcome, { waited }: Met): boolean {
  return (outcome === 'has nothing to do' && !waited) || outcome === 'has to ask again'
}
