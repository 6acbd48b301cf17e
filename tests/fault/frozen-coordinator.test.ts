import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { waitFor } from '../support/wait-for.ts'
import { type Coordinator, Fleet, type Part } from './fleet.ts'

const config = `
[tasks.work]
command = ["sh", "-c", "sleep 0.1"]
[tasks.long]
command = ["sh", "-c", "sleep 7"]
`
let fleet: Fleet
let frozen: Coordinator
let other: Coordinator
let agent: Part

beforeAll(async () => {
  fleet = await Fleet.create({ config })
  frozen = await fleet.serve()
  other = await fleet.serve()
  agent = await fleet.agent('one')
})

afterAll(() => fleet.end(agent, frozen, other))

interface Readiness {
  readonly is_ready: boolean
  readonly checks: readonly { readonly name: string; readonly is_ok: boolean; readonly reason: string | null }[]
}

it('a coordinator that stood still is not ready when it wakes, and says why; meanwhile nothing has waited for it', async () => {
  const [long = ''] = await fleet.enqueue({ task: 'long', user: 'alice' })
  await fleet.untilStatus(long, 'running')
  frozen.cli.kill('SIGSTOP')
  // Asked while it stands still: the question lies in its socket when it wakes.
  const asked = fetch(`${frozen.url}/readyz`)
  const jobs = await fleet.enqueue(...Array.from({ length: 20 }, (_, n) => ({ task: 'work', user: `u${n}` })))
  for (const job of jobs) await fleet.untilStatus(job, 'completed')
  expect((await fetch(`${other.url}/readyz`)).status).toBe(200)
  await sleep(6000)
  frozen.cli.kill('SIGCONT')
  for (const answer of [await asked, await fetch(`${frozen.url}/readyz`)]) {
    const { is_ready, checks } = (await answer.json()) as Readiness
    expect([answer.status, is_ready]).toEqual([503, false])
    expect(checks.find(({ is_ok }) => !is_ok)).toMatchObject({
      name: 'event_loop',
      reason: expect.stringMatching(/^the event loop stalled for \d+ ms$/),
    })
  }
  // It lives, and is not to be restarted for that; and it has given nobody up for its own absence.
  expect((await fetch(`${frozen.url}/livez`)).status).toBe(200)
  await fleet.untilStatus(long, 'completed')
  expect(await fleet.eventsOf(long)).toEqual(['enqueued', 'assigned', 'started', 'completed'])
  await waitFor(async () => (await fleet.test.query('select from interlock.violations')).length === 0, {
    what: 'no violation',
  })
})
