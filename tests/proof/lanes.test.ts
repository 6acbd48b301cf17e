import { describe, expect, it } from 'vitest'
import { configurations, mutations } from './configurations.ts'
import { missingPrograms, verify } from './run-spin.ts'

const isPossible = missingPrograms.length === 0
const unless = isPossible ? '' : ` (skipped: this machine has no ${missingPrograms.join(' and no ')})`

describe(`the model of the scheduling core holds${unless}`, () => {
  for (const { name, model, definitions, isLong } of configurations) {
    if (isLong) continue
    it.skipIf(!isPossible)(`with ${name}${unless}`, { timeout: 120_000 }, async ({ signal }) => {
      const { result, violation, trail } = await verify(definitions, { model, signal })
      expect({ result, violation, trail }).toEqual({ result: 'holds', violation: null, trail: [] })
    })
  }
})

describe(`the model with one thing done wrong is refuted${unless}`, () => {
  for (const { name, model, definitions, violates } of mutations) {
    it.skipIf(!isPossible)(`${name}: ${violates}${unless}`, { timeout: 120_000 }, async ({ signal }) => {
      const { result, violation, trail } = await verify(definitions, { model, signal })
      expect({ result, violation }).toEqual({ result: 'violated', violation: violates })
      expect(trail.length).toBeGreaterThan(0)
    })
  }
})
