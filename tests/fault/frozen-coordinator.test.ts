import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { waitFor } from '../support/wait-for.ts'
import { testInFleet } from './fleet.ts'

const config = `
[tasks.work]
command = ["sh", "-c", "sleep 0.1"]
[tasks.long]
command = ["sh", "-c", "sleep 7"]
`
const it = testInFleet({ config })

interface Readiness {
  readonly is_ready: boolean
  readonly checks: readonly { readonly name: string; readonly is_ok: boolean; readonly reason: string | null }[]
}

it('a coordinator that stood still is not ready when it wakes, and says why; meanwhile nothing has waited for it', async ({
  fleet,
}) => {
  const [frozen, other] = [await fleet.serve(), await fleet.serve()]
  await fleet.agent('one')
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
