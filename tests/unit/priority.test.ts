import { expect, test } from 'vitest'
import {
  highestNamed,
  isPriorityName,
  priorityName,
  priorityNumber,
  queueOfPriority,
} from '../../src/domain/priority.ts'

test('a name is a number, and a number stays as it is', () => {
  expect((['critical', 'high', 'normal', 'low'] as const).map(priorityNumber)).toEqual([0, 1, 2, 3])
  expect(priorityNumber(1.7)).toBe(1.7)
})

test.each([
  [0, 'critical', 'high'],
  [0.49, 'critical', 'high'],
  [0.5, 'high', 'high'],
  [1.49, 'high', 'high'],
  [1.5, 'normal', 'default'],
  [2.5, 'normal', 'default'],
  [2.51, 'low', 'low'],
  [3, 'low', 'low'],
] as const)('%d is called %s and goes to %s', (number, name, queue) => {
  expect(priorityName(number)).toBe(name)
  expect(queueOfPriority(number)).toBe(queue)
})

test('the most urgent of several is found in any order, and of none there is none', () => {
  expect(highestNamed(['low', 'high', 'normal'])).toBe('high')
  expect(highestNamed([])).toBeNull()
})

test('what every object has is no priority', () => {
  expect(isPriorityName('high')).toBe(true)
  expect(isPriorityName('toString')).toBe(false)
})
