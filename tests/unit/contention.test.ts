import { expect, test } from 'vitest'
import { Contention } from '../../src/domain/contention.ts'

test('a lane is due the third time running, and begins anew afterwards', () => {
  const contention = new Contention()
  expect([1, 2, 3, 4].map(() => contention.note(['a']))).toEqual([[], [], ['a'], []])
})

test('a lane that was free once in between begins anew', () => {
  const contention = new Contention()
  expect([['a'], ['a', 'b'], ['b'], ['a', 'b'], ['a'], ['a']].map((lanes) => contention.note(lanes))).toEqual([
    [],
    [],
    [],
    ['b'],
    [],
    ['a'],
  ])
})
