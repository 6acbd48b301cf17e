import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { AttemptReport, type ReportOptions } from '../../src/agent/attempt-report.ts'
import { InterlockError } from '../../src/domain/errors.ts'
import { asFencingToken, asJobId } from '../../src/domain/ids.ts'
import type { OutputChunk } from '../../src/store/attempts.ts'
import { waitFor } from '../support/wait-for.ts'

const silent = () => undefined
const log = { debug: silent, info: silent, warn: silent, error: silent }
const job = { jobId: asJobId('a1'), token: asFencingToken(1) }

interface Kept {
  readonly calls: (readonly OutputChunk[])[]
  readonly progress: [number, string | null][]
  readonly full: boolean[]
  stale: number
  /** What the next calls do instead of succeeding. */
  readonly failures: Error[]
}

function createReport(options: Partial<ReportOptions> = {}): { readonly report: AttemptReport; readonly kept: Kept } {
  const kept: Kept = { calls: [], progress: [], full: [], stale: 0, failures: [] }
  const failOnce = () => {
    const failure = kept.failures.shift()
    if (failure !== undefined) throw failure
  }
  const report = new AttemptReport({
    job,
    log,
    batchMs: 10,
    store: {
      reportStep: async () => undefined,
      appendOutput: async (_, chunks) => {
        failOnce()
        kept.calls.push(chunks)
        return { isCut: false }
      },
      reportProgress: async (_, percent, description) => {
        failOnce()
        kept.progress.push([percent, description])
      },
      heartbeatJob: async () => undefined,
    },
    onStale: () => {
      kept.stale += 1
    },
    onFull: (isFull) => kept.full.push(isFull),
    ...options,
  })
  return { report, kept }
}

describe('AttemptReport', () => {
  it('sends what comes within a batch by one call, in order, a stream’s neighbours as one chunk', async () => {
    const { report, kept } = createReport()
    report.output('stdout', 'one')
    report.output('stdout', 'two\nthree')
    report.output('stderr', 'four')
    report.output('stdout', 'five')
    await report.end(1000)
    expect(kept.calls).toEqual([
      [
        { stream: 'stdout', lines: 'one\ntwo\nthree' },
        { stream: 'stderr', lines: 'four' },
        { stream: 'stdout', lines: 'five' },
      ],
    ])
  })

  it('sends the latest progress only, and keeps a description until there is another', async () => {
    const { report, kept } = createReport()
    report.progress(10, 'Resizing')
    report.progress(20, null)
    await report.end(1000)
    expect(kept.progress).toEqual([[20, 'Resizing']])
  })

  it('sends again, in order, what the database could not take while it was away', async () => {
    const { report, kept } = createReport()
    kept.failures.push(new InterlockError('unavailable', 'away'), new InterlockError('unavailable', 'away'))
    report.output('stdout', 'one')
    await waitFor(() => kept.failures.length < 2, { what: 'the first call to fail' })
    report.output('stdout', 'two')
    await report.end(2000)
    expect(
      kept.calls
        .flat()
        .map(({ lines }) => lines)
        .join('\n'),
    ).toBe('one\ntwo')
  })

  it('asks the job to wait while more than 1 MiB has not been sent', async () => {
    const gate = Promise.withResolvers<{ isCut: boolean }>()
    const store = {
      reportStep: async () => undefined,
      appendOutput: () => gate.promise,
      reportProgress: async () => undefined,
      heartbeatJob: async () => undefined,
    }
    const { report, kept } = createReport({ store })
    report.output('stdout', 'x'.repeat(600_000))
    report.output('stderr', 'x'.repeat(600_000))
    expect(kept.full).toEqual([true])
    gate.resolve({ isCut: false })
    await report.end(1000)
    expect(kept.full).toEqual([true, false])
  })

  it('says once that the token is stale, and sends nothing more', async () => {
    const { report, kept } = createReport()
    kept.failures.push(new InterlockError('stale_token', 'stale'))
    report.output('stdout', 'one')
    await waitFor(() => kept.stale === 1, { what: 'the token to be refused' })
    report.output('stdout', 'two')
    await report.end(100)
    await sleep(30)
    expect(kept).toMatchObject({ calls: [], stale: 1 })
  })

  it('gives up at its deadline while the database is away', async () => {
    const never = new Promise<never>(() => undefined)
    const { report } = createReport({
      store: {
        reportStep: async () => undefined,
        appendOutput: () => never,
        reportProgress: () => never,
        heartbeatJob: () => never,
      },
    })
    report.output('stdout', 'one')
    const before = performance.now()
    await report.end(200)
    expect(performance.now() - before).toBeLessThan(1000)
  })

  it('takes output that is no longer kept for a sign of life, and a heartbeat for one too', async () => {
    const beats: number[] = []
    const { report } = createReport({
      store: {
        reportStep: async () => undefined,
        appendOutput: async () => ({ isCut: true }),
        reportProgress: async () => undefined,
        heartbeatJob: async () => {
          beats.push(performance.now())
        },
      },
    })
    report.heartbeat()
    await waitFor(() => beats.length === 1, { what: 'the heartbeat to be sent' })
    report.output('stdout', 'the last that is kept')
    await sleep(50)
    for (let line = 0; line < 1000; line += 1) report.output('stdout', 'more')
    await waitFor(() => beats.length === 2, { what: 'the output to count as a heartbeat' })
    await report.end(1000)
    expect(beats).toHaveLength(2)
  })
})
