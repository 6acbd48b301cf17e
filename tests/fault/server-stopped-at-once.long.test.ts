import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createSilentLogger } from '../../src/observability/logger.ts'
import { createCoordinator } from '../../src/worker/worker.ts'
import { brokenPromises, Load, nothingBroken } from '../support/load.ts'
import { OwnServer } from '../support/own-server.ts'
import { waitFor } from '../support/wait-for.ts'

const rounds = 5
const windowMs = 1000

test('90 % of the throughput is back within 5 s of the server taking connections again', async () => {
  const server = await OwnServer.start()
  const coordinator = createCoordinator({ database: server.open(), logger: createSilentLogger() })
  await coordinator.start()
  const database = server.open()
  const load = new Load({ database, workers: 3 })
  const backAfterMs: number[] = []
  try {
    for (let round = 0; round < rounds; round += 1) {
      await load.flows(2000, 60_000)
      await sleep(5000)
      const before = load.throughput(5000)
      await server.stopAtOnce()
      await sleep(2000)
      await server.startAgain()
      const startedMs = performance.now()
      await waitFor(() => load.throughput(windowMs) >= 0.9 * before, {
        what: `90 % of ${Math.round(before)} jobs/s`,
        timeoutMs: 30_000,
      })
      // The window has to be full of it: it began a second before its end.
      backAfterMs.push(performance.now() - startedMs)
      console.log(
        `${Math.round(before)} jobs/s before, ${Math.round(load.throughput(windowMs))} after ${Math.round(backAfterMs.at(-1) ?? 0)} ms`,
      )
    }
    await load.drain(60_000)
    expect(load.failures).toEqual([])
    expect(await brokenPromises(database, load)).toEqual(nothingBroken)
    expect(Math.max(...backAfterMs)).toBeLessThan(5000)
  } finally {
    await load.stop()
    await coordinator.stop()
    await server.dispose()
  }
})
