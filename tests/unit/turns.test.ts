import { expect, test } from 'vitest'
import { Turns } from '../../src/coordinator/turns.ts'
import { asAgentId } from '../../src/domain/ids.ts'

const agent = (name: string, room: number, score: number, scorePerJob = 5) => ({
  ...{ agentId: asAgentId(name), room, score, scorePerJob },
})

/** Who was given how many, turn by turn, of so many jobs. */
function give(turns: Turns, jobs: number): readonly (readonly [string, number])[] {
  const given: [string, number][] = []
  for (let turn = turns.next(), left = jobs; turn !== null && left > 0; turn = turns.next()) {
    const count = Math.min(turn.room, left)
    turns.took(turn, count)
    left -= count
    given.push([turn.agentId, count])
  }
  return given
}

test('one agent alone is given all that it has room for at once', () => {
  expect(give(new Turns([agent('a', 64, 10)]), 100)).toEqual([['a', 64]])
})

test('the least loaded is given jobs until it is the next one’s equal, then they take turns', () => {
  expect(give(new Turns([agent('busy', 10, 30), agent('idle', 10, 10)]), 6)).toEqual([
    ['idle', 4],
    ['busy', 1],
    ['idle', 1],
  ])
})

test('a flood fills ten agents of a hundred slots in a few rounds, none of them much before the others', () => {
  const agents = Array.from({ length: 10 }, (_, n) => agent(`a${n}`, 100, n, 0.25))
  const given = give(new Turns(agents), 1000)
  expect(given.reduce((sum, [, jobs]) => sum + jobs, 0)).toBe(1000)
  expect(given.length).toBeLessThan(100)
})

test('who could not take what it was given a turn for is left out', () => {
  const turns = new Turns([agent('gone', 10, 1), agent('there', 10, 50)])
  const first = turns.next()
  expect(first?.agentId).toBe('gone')
  if (first !== null) turns.took(first, 0)
  expect(turns.next()).toEqual({ agentId: 'there', room: 10 })
})
