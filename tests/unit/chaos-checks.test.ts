import { describe, expect, it } from 'vitest'
import { checkAuditor } from '../../scripts/chaos/checks/auditor.ts'
import { checkOrder } from '../../scripts/chaos/checks/order.ts'
import { checkOverlaps, checkWaking } from '../../scripts/chaos/checks/overlaps.ts'
import { checkServerLog } from '../../scripts/chaos/checks/server-log.ts'
import { spansAtLeast, without } from '../../scripts/chaos/checks/spans.ts'
import type { Happening, Recorded } from '../../scripts/chaos/history.ts'
import type { JobFacts, TimedEvent } from '../../scripts/chaos/log.ts'

/** A log put together by hand: each event commits 10 ms after its verb began, unless said otherwise. */
class Story {
  readonly log: TimedEvent[] = []
  readonly jobs: JobFacts[] = []

  enqueue(jobId: string, atMs: number, resources: readonly string[], seniorityMs = atMs): this {
    const user = resources.find((name) => name.startsWith('user:')) ?? null
    const lane = resources.join(' ')
    this.jobs.push({ jobId, queue: 'default', lane, user, resources, seniorityMs, queuedAtMs: atMs })
    return this.#add(jobId, 'enqueued', null, 'pending', atMs)
  }

  start(jobId: string, atMs: number): this {
    const resources = this.jobs.find((job) => job.jobId === jobId)?.resources ?? []
    return this.#add(jobId, 'assigned', 'pending', 'assigned', atMs, resources)
  }

  end(jobId: string, atMs: number, to = 'completed'): this {
    return this.#add(jobId, to === 'pending' ? 'lost' : to, 'running', to, atMs)
  }

  findings(than: { readonly unsure?: readonly string[]; readonly calmFromMs?: number } = {}) {
    return checkOrder({
      log: [...this.log].sort((a, b) => a.atMs - b.atMs),
      jobs: this.jobs,
      queues: [{ name: 'default', scheduling: 'fifo', patienceSeconds: 300 }],
      unsure: new Set(than.unsure ?? []),
      calmFromMs: than.calmFromMs ?? null,
      roomyUpTo: 3,
    }).map(({ what }) => what)
  }

  #add(
    jobId: string,
    type: string,
    from: string | null,
    to: string,
    atMs: number,
    resources: readonly string[] | null = null,
  ): this {
    const token = 1 + this.log.filter((event) => event.jobId === jobId && event.type === 'assigned').length
    const base = {
      agentId: 'one.1',
      reason: null,
      details: null,
      resources,
      token: to === 'assigned' ? token : token - 1,
    }
    this.log.push({ id: this.log.length + 1, jobId, type, from, to, atMs, committedMs: atMs + 10, ...base })
    return this
  }
}

const history = (...events: (Happening & { readonly atMs: number })[]): readonly Recorded[] => events

describe('checkOrder, in a lane', () => {
  it('finds the job that was started while a more senior one of its lane was pending, as all could see', () => {
    const story = new Story().enqueue('first', 0, ['user:a']).enqueue('second', 100, ['user:a']).start('second', 2000)
    expect(story.findings()).toEqual([expect.stringMatching(/^second was started .* before first/)])
  })

  it('says nothing where the more senior one became pending while the claim ran, or just before', () => {
    const story = new Story().enqueue('second', 0, ['user:a'], 100)
    expect(story.enqueue('first', 1900, ['user:a'], 50).start('second', 2000).findings()).toEqual([])
  })

  it('says nothing of a job that somebody may have had locked', () => {
    const story = new Story().enqueue('first', 0, ['user:a']).enqueue('second', 100, ['user:a']).start('second', 2000)
    expect(story.findings({ unsure: ['first'] })).toEqual([])
  })

  it('says nothing where both were started by one claim', () => {
    const story = new Story().enqueue('first', 0, ['model:wide']).enqueue('second', 100, ['model:wide'])
    expect(story.start('second', 2000).start('first', 2000).findings()).toEqual([])
  })
})

describe('checkOrder, across lanes', () => {
  const overtaken = () => {
    const story = new Story().enqueue('eldest', 0, ['user:a'])
    for (let n = 1; n <= 4; n += 1)
      story.enqueue(`junior-${n}`, n * 100, [`user:b${n}`]).start(`junior-${n}`, 6000 + n * 100)
    return story
  }

  it('finds the most senior of all that could start and was overtaken again and again', () => {
    expect(overtaken().start('eldest', 9000).findings()).toEqual([expect.stringMatching(/^eldest .* overtaken by 4/)])
  })

  it('says nothing while what it needs was held', () => {
    const story = overtaken().start('eldest', 9000).enqueue('holder', -100, ['user:a'])
    expect(story.start('holder', -50).end('holder', 8000).findings()).toEqual([])
  })

  it('says nothing while one more senior waited, which may have kept its lane in a claimer’s hands', () => {
    const story = overtaken().start('eldest', 9000).enqueue('elder', -50, ['user:c'])
    story.enqueue('holder', -100, ['user:c']).start('holder', -60)
    expect(story.start('elder', 9000).findings()).toEqual([])
  })

  it('says nothing of who was overtaken within the time that it takes to be looked at', () => {
    const story = new Story().enqueue('eldest', 4000, ['user:a'], 0)
    for (let n = 1; n <= 4; n += 1)
      story.enqueue(`junior-${n}`, n * 100, [`user:b${n}`]).start(`junior-${n}`, 6000 + n * 100)
    expect(story.start('eldest', 9000).findings()).toEqual([])
  })
})

describe('checkOrder, the bound of a wait', () => {
  it('finds who waited in calm for what was free, with room at every agent', () => {
    const story = new Story().enqueue('forgotten', 0, ['user:a']).start('forgotten', 20_000)
    expect(story.findings({ calmFromMs: 10_000 })).toEqual([expect.stringMatching(/^forgotten waited 10000 ms/)])
  })

  it('says nothing where the agents were full', () => {
    const story = new Story().enqueue('forgotten', 0, ['user:a']).start('forgotten', 20_000)
    for (let n = 1; n <= 4; n += 1) story.enqueue(`long-${n}`, 0, [`user:b${n}`], -1).start(`long-${n}`, 100)
    expect(story.findings({ calmFromMs: 10_000 })).toEqual([])
  })
})

describe('checkOverlaps', () => {
  const { log } = new Story().enqueue('former', 0, ['user:a']).start('former', 100)
  const overlap = {
    resource: 'user:a',
    jobId: 'later',
    token: 2,
    formerJobId: 'former',
    formerToken: 1,
    pid: 7,
    atMs: 8000,
  }
  const frozen = (what: 'agent' | 'agent and keeper') =>
    history({ kind: 'frozen', name: 'one', what, atMs: 1000 }, { kind: 'woken', name: 'one', what, atMs: 7000 })

  it('permits two at once behind an agent that was stopped with its keeper, until 2 s after they woke', () => {
    expect(checkOverlaps([overlap], log, frozen('agent and keeper'))).toEqual({ findings: [], permitted: 1 })
  })

  it('finds two at once where the keeper ran', () => {
    expect(checkOverlaps([overlap], log, frozen('agent')).findings).toHaveLength(1)
  })

  it('finds two at once long after agent and keeper woke, and where nothing was stopped', () => {
    expect(checkOverlaps([{ ...overlap, atMs: 10_000 }], log, frozen('agent and keeper')).findings).toHaveLength(1)
    expect(checkOverlaps([overlap], log, []).findings).toHaveLength(1)
  })

  it('permits them where the keeper of a stopped agent was killed, for nobody was left to end the job', () => {
    const killed = { kind: 'fault', fault: 'kill keeper', target: 'one', atMs: 2000 } as const
    expect(checkOverlaps([overlap], log, history(...frozen('agent'), killed)).findings).toEqual([])
  })
})

describe('checkWaking', () => {
  const outlived = (forMs: number | null) =>
    history({ kind: 'outlived', name: 'one', jobId: 'former', token: 1, wokenAtMs: 7000, forMs, atMs: 11_000 })

  it('finds the processes of a job that lived for longer than 2 s after they woke, though it was not theirs any more', () => {
    const { log } = new Story().enqueue('former', 0, ['user:a']).start('former', 100).end('former', 6000, 'pending')
    expect(checkWaking(log, outlived(null))).toHaveLength(1)
    expect(checkWaking(log, outlived(1200))).toEqual([])
  })

  it('says nothing where it was still theirs', () => {
    const { log } = new Story().enqueue('former', 0, ['user:a']).start('former', 100).end('former', 9000)
    expect(checkWaking(log, outlived(null))).toEqual([])
  })
})

describe('checkAuditor', () => {
  const looked = (look: number, atMs: number) =>
    ({ kind: 'looked', look, atMs, violations: ['a lane is parked: x'] }) as const

  it('finds what was there at each of several looks in a row', () => {
    expect(checkAuditor(history(looked(4, 100), looked(5, 300), looked(6, 500)))).toHaveLength(1)
  })

  it('says nothing of what was there at one look and again at a later one, and not in between', () => {
    expect(checkAuditor(history(looked(4, 100), looked(6, 300), looked(8, 500), looked(10, 700)))).toEqual([])
  })
})

describe('checkServerLog', () => {
  it('counts what only a defect makes the server say', () => {
    const said = [
      'XX000 ERROR:  interlock: 1 of 2 slots',
      'XX000 ERROR:  interlock: 3 of 4 slots',
      'IL002 ERROR:  stale',
    ]
    expect(checkServerLog(said.join('\n')).map(({ what }) => what)).toEqual([
      '2 times an inner check failed (XX000): interlock: n of n slots',
    ])
  })

  it('leaves out what workers that are started together say to each other, and nothing else of its kind', () => {
    const said = ['pg_namespace_nspname_index', 'migrations_pkey', 'jobs_pkey'].map(
      (key) => `23505 ERROR:  duplicate key value violates unique constraint "${key}"`,
    )
    expect(checkServerLog(said.join('\n')).map(({ what }) => what)).toEqual([
      '1 times a key was written twice (23505): duplicate key value violates unique constraint "jobs_pkey"',
    ])
  })
})

describe('spans', () => {
  it('what is left of one without others is in order and has no overlap', () => {
    const taken = [
      { fromMs: 5, toMs: 7 },
      { fromMs: -3, toMs: 1 },
      { fromMs: 6, toMs: 8 },
      { fromMs: 20, toMs: 30 },
    ]
    expect(without({ fromMs: 0, toMs: 10 }, taken)).toEqual([
      { fromMs: 1, toMs: 5 },
      { fromMs: 8, toMs: 10 },
    ])
  })

  it('of two steps at one moment the one that adds counts first', () => {
    const steps = [
      { atMs: 0, change: 1 },
      { atMs: 5, change: -1 },
      { atMs: 5, change: 1 },
      { atMs: 9, change: -1 },
    ]
    expect(spansAtLeast(steps, 1)).toEqual([{ fromMs: 0, toMs: 9 }])
    expect(spansAtLeast(steps, 2)).toEqual([{ fromMs: 5, toMs: 5 }])
  })
})
