import { expect, it } from 'vitest'
import { createTestDatabase } from '../support/test-database.ts'
import { runCampaign } from './campaign.ts'

const seed = Number(process.env.INTERLOCK_SEED ?? Math.floor(Math.random() * 1e9))
const wanted = Number(process.env.INTERLOCK_COMMANDS ?? 10_000)

it(`${wanted} commands from several connections agree with the model (seed ${seed})`, {
  timeout: 300_000,
}, async () => {
  const { failure, commands, runs, tally } = await runCampaign({
    open: () => createTestDatabase({ poolSize: 1, violations: 'expected' }),
    seed,
    path: process.env.INTERLOCK_PATH,
    replayPath: process.env.INTERLOCK_REPLAY_PATH,
    commands: wanted,
    databases: 2,
  })
  expect(failure?.report ?? '').toBe('')
  console.log(`${commands} commands in ${runs} runs, ${tally.size} kinds of answers, from seed ${seed}`)
  if (process.env.INTERLOCK_TALLY !== undefined)
    console.log(
      [...tally]
        .toSorted()
        .map(([name, n]) => `${name} ${n}`)
        .join('\n'),
    )
})
