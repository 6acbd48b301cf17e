import { describe, expect, it } from 'vitest'
import { configurations } from './configurations.ts'
import { missingPrograms, verify } from './run-spin.ts'

const isPossible = missingPrograms.length === 0
const unless = isPossible ? '' : ` (skipped: this machine has no ${missingPrograms.join(' and no ')})`

describe(`the model of the scheduling core holds${unless}`, () => {
  for (const { name, model, definitions, isLong } of configurations) {
    if (!isLong) continue
    it.skipIf(!isPossible)(`with ${name}${unless}`, async ({ signal }) => {
      const { result, violation, trail, states, seconds } = await verify(definitions, { model, isLong, signal })
      console.log(`${name}: ${states} states, ${seconds.toFixed(0)} s`)
      expect({ result, violation, trail }).toEqual({ result: 'holds', violation: null, trail: [] })
    })
  }
})
