import { expect, test } from 'vitest'
import { Ledger } from '../../scripts/bench/ledger.ts'

const options = { jobs: 3, batch: 1, deadlineSeconds: 10, signal: new AbortController().signal, workMs: 5 }

test('two jobs of one model that run at the same time are an overlap, one after the other they are not', async () => {
  const ledger = new Ledger(options, ({ user, models }) => [user, ...models])
  await Promise.all([
    ledger.run([{ user: 'alice', models: ['flux'] }]),
    ledger.run([{ user: 'bob', models: ['flux'] }]),
    ledger.run([{ user: 'carol', models: ['sora'] }]),
  ])
  await ledger.run([{ user: 'alice', models: ['flux'] }])
  expect(ledger.close().overlaps).toBe(1)
})

test('a drain that gets stuck is charged all of its time, not only what it took to get there', async () => {
  const ledger = new Ledger({ ...options, deadlineSeconds: 0.2 }, () => [])
  await ledger.run([{ user: 'alice', models: [] }])
  ledger.completed(1)
  await ledger.over()
  expect(ledger.close()).toMatchObject({ completed: 1, seconds: 0.2 })
})
