import { describe, expect, it } from 'vitest'
import { ends, killAndAttend, otherStatements, Unattended, verbs } from './coordinator-killed.ts'

// Fault 2. What happens inside a verb is one transaction: tests/property crashes in each of its statements.

it('the statements below are all that a coordinator says', async () => {
  const world = await Unattended.create()
  const said = new Set<string>()
  world.line.listenIn((text) => {
    for (const [, name = ''] of text.matchAll(/interlock\.(\w+)\(/g)) said.add(name)
  })
  await world.attend(world.line.urlOf(world.test.url))
  expect([...said].sort()).toEqual(verbs)
  expect(await world.outcomes()).toEqual(ends)
  await world.end()
})

describe.for(['before the server', 'after the server'] as const)(
  'a coordinator killed with -9, %s has heard it say',
  (side) => {
    it.for([...verbs, ...otherStatements])('%s: another one ends what it began, once', (statement) =>
      killAndAttend(side, statement),
    )
  },
)
