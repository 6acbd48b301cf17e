// What the commands about capacities, start rates and pauses choose.

import { isRate } from '../property/demand.ts'
import { type Choice, patterns, pick, things } from './candidates.ts'
import { dueRates, pauseResource, removeLimit, setLimit, wakeRate } from './limit-rules.ts'

const resources = [...things, ...things, 'user:a', 'user:b', 'task:build', 'limit:all', 'queue:low']

export const limitChoices: Readonly<Record<string, Choice>> = {
  setLimit: {
    weight: 5,
    choose: (_run, { picks: [n, capacity = 0, dice = 0] }) =>
      setLimit(
        pick([...patterns, ...patterns, 'no pattern'], n) ?? '',
        capacity % 7 === 0 ? null : capacity % 11 === 0 ? 0 : 1 + (capacity % 3),
        { isPaused: dice % 13 === 0 },
      ),
  },
  setRate: {
    weight: 3,
    choose: (_run, { picks: [n, rate = 0, capacity = 0] }) =>
      setLimit(
        rate % 31 === 0 ? 'rate:model:x' : (pick(patterns, n) ?? ''),
        capacity % 4 === 0 ? null : 1 + (capacity % 3),
        { startsPerMinute: rate % 29 === 0 ? 0 : 1 + (rate % 4) },
      ),
  },
  removeLimit: {
    weight: 4,
    choose: (run, { picks: [n] }) =>
      removeLimit(pick([...run.model.limits.map(({ pattern }) => pattern), 'user:nobody'], n) ?? ''),
  },
  // What is paused is resumed soon, or nothing would happen any more.
  pauseResource: {
    weight: 3,
    choose: (run, { picks: [n, dice = 0] }) => {
      const paused = run.model.limits.flatMap((limit) => (limit.paused ? [limit.pattern] : []))
      if (paused.length > 0 && dice % 4 !== 0) return pauseResource(pick(paused, n) ?? '', false)
      if (dice % 12 === 0) return pauseResource(pick(['user:*', 'rate:model:x', 'no resource'], n) ?? '')
      return pauseResource(pick(resources, n) ?? '', dice % 9 !== 0)
    },
  },
  wakeRate: {
    weight: 4,
    choose: (run, { picks: [n, dice = 0] }) => {
      const parkedOn = run.scene.seen.lanes.flatMap(({ blockedOn }) => (blockedOn === null ? [] : [blockedOn]))
      const waitedFor = parkedOn.filter(isRate)
      // It may be called for what nobody waits for, and for what has no rate at all.
      return wakeRate(
        pick(dice % 8 === 0 || waitedFor.length === 0 ? ['rate:model:x', 'rate:user:a'] : waitedFor, n) ?? '',
      )
    },
  },
  dueRates: { weight: 1, choose: (_run, { picks: [n = 0] }) => dueRates(n % 3 === 0 ? 1 : 100) },
}
