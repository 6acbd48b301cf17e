import { describe, expect, it } from 'vitest'
import { checkBlockers } from '../../scripts/demo/checks/blockers.ts'
import { checkEndings, checkTransitions } from '../../scripts/demo/checks/endings.ts'
import { checkExclusivity } from '../../scripts/demo/checks/exclusivity.ts'
import { checkCrash, checkHang } from '../../scripts/demo/checks/failures.ts'
import { checkFencedStore, type StoreLine } from '../../scripts/demo/checks/fenced-store.ts'
import { checkHandOvers, handOversOf } from '../../scripts/demo/checks/hand-overs.ts'
import {
  checkFormerProcesses,
  checkLateWrites,
  checkTakeover,
  type Takeover,
} from '../../scripts/demo/checks/takeover.ts'
import { checkCommits, checkSecondWaited } from '../../scripts/demo/checks/users.ts'
import { describe as describeVerdict, type Verdict } from '../../scripts/demo/checks/verdict.ts'
import { checkGang, checkNotStarved } from '../../scripts/demo/checks/workflow.ts'
import { claimsOf } from '../../scripts/demo/history.ts'
import { type DemoLog, demoLog } from '../support/demo-log.ts'

const expectOk = (verdict: Verdict) => expect(verdict).toMatchObject({ isOk: true })
const expectFailed = (verdict: Verdict, because: RegExp) => {
  expect(verdict).toMatchObject({ isOk: false })
  expect(verdict.evidence.join('\n')).toMatch(because)
}

describe('the history of the demonstration', () => {
  it('ends a claim with the event that carries its token, not with that of a later claim', () => {
    const log = demoLog().enqueue('a-1', 0).claim('a-1', ['user:a'], 1).end('a-1', 'retried', 2).due('a-1', 3)
    log.claim('a-1', ['user:a'], 4).end('a-1', 'completed', 5)
    expect(claimsOf(log.events).map(({ ended }) => ended?.type)).toEqual(['retried', 'completed'])
  })
})

describe('checkExclusivity', () => {
  it('holds where each claim of a resource begins after the last one has ended', () => {
    const log = demoLog().enqueue('a-1', 0).enqueue('a-2', 0)
    log.claim('a-1', ['user:a'], 1).end('a-1', 'completed', 2).claim('a-2', ['user:a'], 3).end('a-2', 'completed', 4)
    expectOk(checkExclusivity(log.events))
  })

  it('goes by the numbers of the lines: a verb that began before a release may be granted after it', () => {
    const log = demoLog().claim('a-1', ['user:a'], 1).end('a-1', 'completed', 3).claim('a-2', ['user:a'], 2)
    expectOk(checkExclusivity(log.events))
  })

  it('fails where two have the same resource at once, and names both', () => {
    const log = demoLog().claim('a-1', ['user:a', 'model:m'], 1).claim('b-1', ['model:m'], 2).end('a-1', 'completed', 3)
    expectFailed(checkExclusivity(log.events), /b-1 was given model:m \(fence 102\) while a-1 had it/)
  })

  it('fails where a claim never ended and the resource was granted again', () => {
    const log = demoLog().claim('a-1', ['user:a'], 1).claim('a-2', ['user:a'], 9000)
    expectFailed(checkExclusivity(log.events), /while a-1 had it/)
  })

  it('fails on an empty log: nothing is shown by it', () => {
    expectFailed(checkExclusivity([]), /nothing was ever granted/)
  })
})

describe('checkEndings and checkTransitions', () => {
  const log = () => demoLog().enqueue('a-1', 0).claim('a-1', ['user:a'], 1).end('a-1', 'completed', 2)

  it('hold for a job that ended once, as expected', () => {
    expectOk(checkEndings(log().events, new Map([['a-1', 'completed']])))
    expectOk(checkTransitions(log().events))
  })

  it('fail for a job that ended otherwise, twice, or not at all', () => {
    expectFailed(checkEndings(log().events, new Map([['a-1', 'failed']])), /a-1 should be failed once; it is completed/)
    const twice = log().end('a-1', 'completed', 3).events
    expectFailed(checkEndings(twice, new Map([['a-1', 'completed']])), /completed, then completed/)
    expectFailed(checkEndings(log().events, new Map([['lost', 'completed']])), /lost should .* not ended/)
    expectFailed(checkEndings([], new Map()), /no jobs/)
  })

  it('fail where an event begins elsewhere than the last one ended', () => {
    expectFailed(checkTransitions(log().end('a-1', 'completed', 3).events), /a-1 was completed, not running/)
    expectFailed(checkTransitions([]), /empty/)
  })
})

describe('checkBlockers', () => {
  const log = () => demoLog().enqueue('a-1', 0).enqueue('a-2', 0).claim('a-1', ['user:a'], 1)

  it('holds where the blocker had the resource at that moment', () => {
    expectOk(checkBlockers(log().block('a-2', 2, { by: 'a-1' }).events))
  })

  it('holds for one that is kept for a more senior job beside one that is held', () => {
    const reason = 'Model conflict: m reserved for a more senior job'
    const events = log().block('a-2', 2, { by: 'a-1' }).block('b-1', 3, { resource: 'model:m', reason }).events
    expectOk(checkBlockers(events))
  })

  it('fails where the blocker had something else, or had let go', () => {
    expectFailed(checkBlockers(log().block('a-2', 2, { by: 'b-1' }).events), /names b-1, which did not have user:a/)
    const late = log().end('a-1', 'completed', 2).block('a-2', 3, { by: 'a-1' }).events
    expectFailed(checkBlockers(late), /which did not have user:a then/)
  })

  it('fails where no blocker, no reason or no resource is named', () => {
    expectFailed(checkBlockers(log().block('a-2', 2, { by: null }).events), /names no blocker/)
    expectFailed(
      checkBlockers(log().block('a-2', 2, { by: 'a-1', reason: null }).events),
      /does not say on what, or why/,
    )
    expectFailed(checkBlockers(log().block('a-2', 2, { by: 'a-1', resource: null }).events), /does not say on what/)
    expectFailed(checkBlockers(log().events), /nothing was blocked/)
  })
})

describe('checkHandOvers', () => {
  const model = ['model:m']
  const queueOf = () => 'demo'
  const waiting = (slots = 2): DemoLog => {
    const log = demoLog().registerAgent('box.1', slots, ['demo'], 0).enqueue('i-1', 0).claim('i-1', model, 10)
    return log.enqueue('i-2', 20).block('i-2', 30, { resource: 'model:m', by: 'i-1' })
  }

  it('measures from the release of what the job waited for', () => {
    const { events } = waiting().end('i-1', 'completed', 1000).claim('i-2', model, 1012)
    expect(handOversOf(events, queueOf)).toEqual([{ jobId: 'i-2', afterMs: 12, withRoomMs: 12 }])
    expectOk(checkHandOvers(events, queueOf))
  })

  it('fails where it started later although an agent had room', () => {
    const { events } = waiting().end('i-1', 'completed', 1000).claim('i-2', model, 1150)
    expectFailed(checkHandOvers(events, queueOf), /i-2 waited 150 ms although all was free/)
  })

  it('does not blame the time in which every agent of the queue was full', () => {
    const log = waiting().claim('x', ['user:x'], 500).end('i-1', 'completed', 1000).claim('y', ['user:y'], 1005)
    log.end('x', 'completed', 1400).claim('i-2', model, 1410)
    expect(handOversOf(log.events, queueOf)).toEqual([{ jobId: 'i-2', afterMs: 410, withRoomMs: 15 }])
  })

  it('counts an agent of another queue, or one that is gone, as no room', () => {
    const { events } = waiting(1)
      .registerAgent('other.2', 4, ['field'], 40)
      .end('i-1', 'completed', 1000)
      .claim('x', [], 1002)
    const log = demoLog()
    log.events.push(...events)
    const late = [
      ...log.events,
      { ...at(events, 'assigned'), id: 90, jobId: 'i-2', token: 200, atMs: 1300, resources: model },
    ]
    expect(handOversOf(late, queueOf)[0]?.withRoomMs).toBe(2)
  })

  it('waits for the last of all that a job needs', () => {
    const log = waiting(4).claim('v-1', ['model:v'], 35).end('i-1', 'completed', 1000)
    log.end('v-1', 'completed', 2000).claim('i-2', ['model:m', 'model:v'], 2030)
    expect(handOversOf(log.events, queueOf)).toEqual([{ jobId: 'i-2', afterMs: 30, withRoomMs: 30 }])
  })

  it('fails where no agent is known: room could not be told from a full house', () => {
    const log = demoLog().enqueue('i-1', 0).claim('i-1', model, 10).enqueue('i-2', 20)
    log.block('i-2', 30, { resource: 'model:m', by: 'i-1' }).end('i-1', 'completed', 1000).claim('i-2', model, 9000)
    expectFailed(checkHandOvers(log.events, queueOf), /no agent of the queue of i-2 is in the log/)
  })

  it('fails where no job had to wait for a model: nothing is shown', () => {
    expectFailed(checkHandOvers(demoLog().enqueue('i-1', 0).claim('i-1', model, 1).events, queueOf), /no job waited/)
  })
})

describe('checkGang and checkNotStarved', () => {
  const plan = { jobId: 'knight', models: ['model:f', 'model:m'], patienceMs: 2000 }
  const both = ['model:f', 'model:m']
  /** i-1 and v-1 run; the workflow waits; i-2 overtakes it; i-3 is younger and waits still when it starts. */
  const story = (knightAt: number, resources = both, third: 'waits' | 'comes later' = 'waits'): DemoLog => {
    const log = demoLog().enqueue('i-1', 0).enqueue('v-1', 0).claim('i-1', ['model:f'], 1).claim('v-1', ['model:m'], 1)
    log.enqueue('knight', 10).enqueue('i-2', 20)
    log.end('i-1', 'completed', 800).claim('i-2', ['model:f'], 805)
    if (third === 'waits') log.enqueue('i-3', 900)
    log.end('v-1', 'completed', 1200).end('i-2', 'completed', 1700).claim('knight', resources, knightAt)
    if (third === 'comes later') log.enqueue('i-3', knightAt + 1)
    return log.end('knight', 'completed', knightAt + 1000).claim('i-3', ['model:f'], knightAt + 1005)
  }

  it('hold where it started with both, in time, before the stream had dried up', () => {
    expectOk(checkGang(story(2100).events, plan))
    expectOk(checkNotStarved(story(2100).events, plan))
  })

  it('fail where it started with one, or not at all', () => {
    expectFailed(checkGang(story(2100, ['model:f']).events, plan), /started without model:m/)
    expectFailed(checkGang([], plan), /never started/)
    expectFailed(checkNotStarved([], plan), /never started/)
  })

  it('fail where it waited beyond its bound', () => {
    expectFailed(checkNotStarved(story(9000).events, plan), /it waited 8.99 s, more than its bound of/)
  })

  it('fail where it started only when nothing else was left', () => {
    expectFailed(checkNotStarved(story(2100, both, 'comes later').events, plan), /dried up/)
  })

  it('fail where nothing overtook it', () => {
    const log = demoLog().enqueue('i-1', 0).claim('i-1', ['model:f'], 1).enqueue('knight', 10).enqueue('i-2', 20)
    log
      .end('i-1', 'completed', 800)
      .claim('knight', both, 805)
      .end('knight', 'completed', 900)
      .claim('i-2', ['model:f'], 905)
    expectFailed(checkNotStarved(log.events, plan), /nothing overtook it/)
  })
})

describe('checkSecondWaited and checkCommits', () => {
  const plan = { first: 'a-1', second: 'a-2', others: ['b-1'] }
  const story = (secondAt: number, otherAt: number) => {
    const log = demoLog().enqueue('a-1', 0).enqueue('a-2', 0).enqueue('b-1', 0).claim('a-1', ['user:a'], 1)
    if (otherAt < 1000) log.claim('b-1', ['user:b'], otherAt)
    if (secondAt < 1000) log.claim('a-2', ['user:a'], secondAt)
    log.end('a-1', 'completed', 1000)
    if (otherAt >= 1000) log.claim('b-1', ['user:b'], otherAt)
    if (secondAt >= 1000) log.claim('a-2', ['user:a'], secondAt)
    return log.events
  }

  it('holds where the second began after the first had ended, and the other ran beside it', () => {
    expectOk(checkSecondWaited(story(1005, 5), plan))
  })

  it('fails where the second did not wait, or the other did', () => {
    expectFailed(checkSecondWaited(story(500, 5), plan), /a-2 started before a-1 had ended/)
    expectFailed(checkSecondWaited(story(1005, 1010), plan), /b-1 did not run beside a-1/)
    expectFailed(checkSecondWaited([], plan), /never started/)
  })

  const edit = (jobId: string, from: number, to: number) => ({
    jobId,
    startedAt: new Date(from).toISOString(),
    endedAt: new Date(to).toISOString(),
  })

  it('fails where two commits of one user overlap, or one is missing', () => {
    const apart = new Map([['a', [edit('a-1', 0, 100), edit('a-2', 100, 200)]]])
    expectOk(checkCommits(apart, new Map([['a', 2]])))
    expectFailed(checkCommits(apart, new Map([['a', 3]])), /a has 2 commits, not 3/)
    const overlapping = new Map([['a', [edit('a-1', 0, 100), edit('a-2', 99, 200)]]])
    expectFailed(checkCommits(overlapping, new Map([['a', 2]])), /a: a-2 began at .*, before a-1 had ended/)
    expectFailed(checkCommits(new Map(), new Map()), /nobody/)
  })
})

describe('checkCrash and checkHang', () => {
  const crash = { jobId: 'c', attempts: 2, delayMs: 1000 }
  const crashed = (secondAt: number, lastEnd: string) =>
    demoLog()
      .enqueue('c', 0)
      .claim('c', [], 1)
      .end('c', 'retried', 100, 'ended with exit code 1')
      .due('c', secondAt - 5)
      .claim('c', [], secondAt)
      .end('c', lastEnd, secondAt + 100, 'ended with exit code 1: the file is corrupt').events

  it('checkCrash holds for one that was retried after its wait and failed for good', () => {
    expectOk(checkCrash(crashed(1150, 'failed'), crash))
  })

  it('checkCrash fails where it came too soon, too seldom, or ended otherwise', () => {
    expectFailed(checkCrash(crashed(600, 'failed'), crash), /tried again after 0.50 s, not 1.00 s/)
    expectFailed(checkCrash(crashed(1150, 'completed'), crash), /ended as completed/)
    expectFailed(checkCrash(crashed(1150, 'failed').slice(0, 4), crash), /had 1 attempts, not 2/)
    expectFailed(
      checkCrash(
        crashed(1150, 'failed').map((event) => ({ ...event, reason: 'lost' })),
        crash,
      ),
      /it says: lost/,
    )
  })

  const hang = { jobId: 'h', timeoutMs: 2000, graceMs: 1000, stillAlive: [] }
  const hung = (endAt: number, reason = 'stopped after 2 s') =>
    demoLog().enqueue('h', 0).claim('h', [], 0).end('h', 'failed', endAt, reason).events

  it('checkHang holds for one that was stopped at its timeout', () => {
    expectOk(checkHang(hung(2100), hang))
  })

  it('checkHang fails where it was stopped too early, too late, otherwise, or lives on', () => {
    expectFailed(checkHang(hung(1000), hang), /it ran 1.00 s; its timeout is 2.00 s/)
    expectFailed(checkHang(hung(3100), hang), /it ran 3.10 s/)
    expectFailed(checkHang(hung(2100, 'was killed by SIGKILL'), hang), /it says: was killed/)
    expectFailed(checkHang(hung(2100), { ...hang, stillAlive: [4711] }), /process 4711 is still alive/)
    expectFailed(checkHang([], hang), /had 0 attempts/)
  })
})

describe('checkTakeover, checkFormerProcesses and checkLateWrites', () => {
  const takeover: Takeover = {
    jobId: 'd',
    agentPid: 99,
    killedAtMs: 1000,
    pids: [7, 8],
    goneAtMs: 1400,
    foundByNext: [],
    lateWrites: [{ verb: 'report_progress', answer: 'IL002' }],
  }
  const story = (againAt: number, agentId = 'box.1', end = 'lost') =>
    demoLog()
      .enqueue('d', 0)
      .claim('d', ['user:d'], 10, 'second.2')
      .end('d', end, againAt - 10)
      .claim('d', ['user:d'], againAt, agentId).events

  it('hold where another agent had the job in time, the processes were gone, and late writes were refused', () => {
    expectOk(checkTakeover(story(4800), takeover))
    expectOk(checkFormerProcesses(story(4800), takeover))
    expectOk(checkLateWrites(takeover))
  })

  it('checkTakeover fails where it took too long, stayed where it was, or was not lost', () => {
    expectFailed(checkTakeover(story(6100), takeover), /it took 5.10 s/)
    expectFailed(checkTakeover(story(4800, 'second.2'), takeover), /on the same agent/)
    expectFailed(checkTakeover(story(4800, 'box.1', 'returned'), takeover), /was not lost: returned/)
    expectFailed(checkTakeover(story(4800).slice(0, 4), takeover), /never ran again/)
  })

  it('checkFormerProcesses fails where a process outlived the claim, or nobody looked', () => {
    expectFailed(checkFormerProcesses(story(1300), takeover), /assigned again before they were gone/)
    expectFailed(checkFormerProcesses(story(4800), { ...takeover, foundByNext: [8] }), /found process 8 alive/)
    expectFailed(checkFormerProcesses(story(4800), { ...takeover, foundByNext: null }), /did not look/)
    expectFailed(checkFormerProcesses(story(4800), { ...takeover, pids: [] }), /no processes/)
  })

  it('checkLateWrites fails where one was accepted, or none was tried', () => {
    const lateWrites = [{ verb: 'fail_job', answer: 'accepted' }]
    expectFailed(checkLateWrites({ ...takeover, lateWrites }), /fail_job: accepted/)
    expectFailed(checkLateWrites({ ...takeover, lateWrites: [] }), /nothing was written late/)
  })
})

describe('checkFencedStore', () => {
  const line = (fence: number, what: StoreLine['what'], resource = 'user:a'): StoreLine => ({
    resource,
    fence,
    job_id: `job-${fence}`,
    what,
  })

  it('holds where each use ends before the next begins, and a killed one is cut off', () => {
    expectOk(checkFencedStore([line(1, 'begins'), line(1, 'ends'), line(2, 'begins'), line(2, 'ends')], new Set()))
    expectOk(checkFencedStore([line(1, 'begins'), line(2, 'begins'), line(2, 'ends')], new Set([1])))
  })

  it('fails where two uses overlap', () => {
    expectFailed(
      checkFencedStore([line(1, 'begins'), line(2, 'begins')], new Set()),
      /job-2 used user:a while job-1 did/,
    )
  })

  it('fails where the killed one writes after the next has begun', () => {
    const lines = [line(1, 'begins'), line(2, 'begins'), line(1, 'goes on'), line(2, 'ends')]
    expectFailed(checkFencedStore(lines, new Set([1])), /job-1 wrote to user:a under fence 1, after 2/)
  })

  it('fails where nobody wrote', () => {
    expectFailed(checkFencedStore([], new Set()), /nobody/)
  })
})

describe('a verdict as a line', () => {
  it('says ok or FAILED, the title, and the evidence below it', () => {
    expect(describeVerdict({ title: 'it holds', isOk: true, evidence: ['3 of 3'] })).toBe('ok      it holds: 3 of 3')
    expect(describeVerdict({ title: 'it holds', isOk: false, evidence: ['one', 'two'] })).toBe(
      'FAILED  it holds: one\n          two',
    )
  })
})

function at<Event extends { readonly type: string }>(events: readonly Event[], type: string): Event {
  const found = events.find((event) => event.type === type)
  if (found === undefined) throw new Error(`no event is ${type}`)
  return found
}
