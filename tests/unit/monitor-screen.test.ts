import { styleText } from 'node:util'
import stringWidth from 'string-width'
import { describe, expect, it } from 'vitest'
import { printable } from '../../src/cli/monitor/printable.ts'
import { drawScreen } from '../../src/cli/monitor/screen.ts'
import { firstView, type View } from '../../src/cli/monitor/view.ts'
import type { Painter } from '../../src/cli/terminal.ts'
import type { Explanation } from '../../src/domain/explanation.ts'
import type { JobView } from '../../src/domain/job-view.ts'
import { ago, monitorData, sceneOf } from './monitor-facts.ts'

// The clock on the screen is the reader's.
process.env.TZ = 'UTC'

const plain: Painter = { paint: (_style, text) => text }
const coloured: Painter = { paint: (style, text) => styleText(style, text, { validateStream: false }) }
const codes: Readonly<Record<string, string>> = {
  ...{ 1: '<bold>', 2: '<dim>', 22: '</>', 7: '<inverse>', 27: '</>', 39: '</>' },
  ...{ 31: '<red>', 32: '<green>', 33: '<yellow>', 36: '<cyan>' },
}

/** Colours as words that a person can read in a failed test. */
function inWords(line: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what is looked for
  return line.replace(/\u001b\[(\d+)m/g, (_, code: string) => codes[code] ?? `<${code}>`)
}

const busy = monitorData({
  running: [
    {
      job_id: 'd1024',
      task: 'fix-bug',
      models: ['flux', 'motion-2.0-fast'],
      progress: 45,
      progress_description: 'Reading the tests',
    },
    { job_id: 'd1025', task: 'render', user: 'bob', agent_id: 'two.7', queue: 'high', started_at: ago(3725) },
  ],
  waiting: [
    {
      job_id: 'd1026',
      task: 'fix-bug',
      blocked_by_job_id: 'd1024',
      conflict_reason: 'User conflict: alice in use by normal job d1024',
    },
    { job_id: 'd1027', task: 'resize', user: null, priority: 'high', queue: 'high', queued_at: ago(4) },
    { job_id: 'd1028', task: 'resize', user: 'carol', priority: 'low', queue: 'low', queued_at: ago(7) },
    { job_id: 'd1029', task: 'resize', user: 'dave', queued_at: ago(2) },
  ],
  agents: [
    {
      id: 'one.1',
      active_jobs: 1,
      slots: 1,
      slots_open: 1,
      cpu_percent: 70,
      memory_percent: 50,
      load_score: 61.5,
      load_level: 'high',
    },
    { id: 'two.7', active_jobs: 1, slots: 1, slots_open: 1 },
  ],
  paused: ['low'],
  startableLanes: 3,
})

function draw(
  data: typeof busy | null,
  columns: number,
  rows: number,
  view: Partial<View> = {},
  painter = plain,
): readonly string[] {
  return drawScreen(sceneOf(data), { ...firstView, ...view }, { columns, rows }, painter)
}

function shown(lines: readonly string[]): string {
  return `\n${lines.map((line) => line.trimEnd()).join('\n')}\n`
}

const explanation: Explanation = {
  job_id: 'd1026',
  status: 'pending',
  sentence: 'd1026 waits for user:alice',
  chain: [
    { resource: 'user:alice', state: 'held', job_id: 'd1024', task: 'fix-bug', user: 'alice', status: 'running' },
  ],
}
const opened: JobView = {
  ...{
    id: 'd1026',
    status: 'pending',
    task: 'fix-bug',
    kind: 'normal',
    user: 'alice',
    project: null,
    queue: 'default',
  },
  ...{ priority: 'normal', priority_number: 2, permission_level: 'autonomous', models: [], resources: ['user:alice'] },
  ...{ progress: null, progress_description: null, attempt: 0, max_attempts: 3, timeout_seconds: null, token: null },
  ...{ heartbeat_seconds: null, unique_key: null, agent_id: null, created_at: ago(200), queued_at: ago(200) },
  ...{ assigned_at: null, started_at: null, finished_at: null, run_at: null, expires_at: null, reason: null },
  ...{ cancel_requested_at: null, approved_at: null, error: null, queue_position: 1, blocked_by_job_id: 'd1024' },
  ...{ conflict_reason: 'the sentence', payload: { url: 'x'.repeat(300) }, result: null, depends_on: [] },
}

describe('the screen of the monitor', () => {
  it('shows at 100x30 the depth by queue and priority, what runs, what waits and why, the agents and the advice', () => {
    expect(shown(draw(busy, 100, 30))).toMatchInlineSnapshot(`
      "
      interlock monitor · http://127.0.0.1:7400                                       12:00:00 · every 2 s
      pressure moderate  2 of 2 slots busy · 4 waiting (high 1, normal 2, low 1) · oldest for 2m 5s
        all 2 slots are in use and 3 lines of jobs wait for one
      Scale out: 2 agents more
      ─ Waiting by queue and priority ────────────────────────────────────────────────────────────────────
        default ███████████████████████ 2 · 1 run       │ critical                        0
        high    ███████████▌            1 · 1 run       │ high     ███████████            1
        low     ███████████▌            1 · paused      │ normal   ██████████████████████ 2
                                                        │ low      ███████████            1
      ─ Running 2 ────────────────────────────────────────────────────────────────────────────────────────
        JOB    TASK     USER   MODELS                AGENT    FOR  PROGRESS
      > d1024  fix-bug  alice  flux motion-2.0-fast  one.1     1m  ███▋     45 %  Reading the tests
        d1025  render   bob                          two.7  1h 2m  running
      ─ Waiting 4 ────────────────────────────────────────────────────────────────────────────────────────
        JOB    TASK     USER   PRIO      FOR  WHY
        d1026  fix-bug  alice  normal  2m 5s  User conflict: alice in use by normal job d1024
        d1027  resize          high     4.0s
        d1028  resize   carol  low      7.0s
        d1029  resize   dave   normal   2.0s
      ─ Agents 2 ─────────────────────────────────────────────────────────────────────────────────────────
        AGENT  STATE   JOBS  LOAD                CPU   MEM  HEARD  NO MORE BECAUSE
        one.1  active   1/1  ████▉     62 high  70 %  50 %   1.2s  all its slots are in use
        two.7  active   1/1  █▍        17 low   12 %  34 %   1.2s  all its slots are in use






      ↑↓ choose · Enter open · / filter · c cancel · p pause · ? help · q leave
      "
    `)
  })

  it('shows the same at 80x24', () => {
    expect(shown(draw(busy, 80, 24))).toMatchInlineSnapshot(`
      "
      interlock monitor · http://127.0.0.1:7400                   12:00:00 · every 2 s
      pressure moderate  2 of 2 slots busy · 4 waiting (high 1, normal 2, low 1) · ol…
        all 2 slots are in use and 3 lines of jobs wait for one
      Scale out: 2 agents more
      ─ Waiting by queue and priority ────────────────────────────────────────────────
        default ████████████████ 2 · 1 run    │ critical                 0
        high    ████████         1 · 1 run    │ high     ███████▌        1
        low     ████████         1 · paused   │ normal   ███████████████ 2
                                              │ low      ███████▌        1
      ─ Running 2 ────────────────────────────────────────────────────────────────────
        JOB    TASK     USER   MODELS               AGENT    FOR  PROGRESS
      > d1024  fix-bug  alice  flux motion-2.0-fa…  one.1     1m  ███▋     45 %  Read…
        d1025  render   bob                         two.7  1h 2m  running
      ─ Waiting 4 ────────────────────────────────────────────────────────────────────
        JOB    TASK     USER   PRIO      FOR  WHY
        d1026  fix-bug  alice  normal  2m 5s  User conflict: alice in use by normal j…
        d1027  resize          high     4.0s
        d1028  resize   carol  low      7.0s
        d1029  resize   dave   normal   2.0s
      ─ Agents 2 ─────────────────────────────────────────────────────────────────────
        AGENT  STATE   JOBS  LOAD                CPU   MEM  HEARD  NO MORE BECAUSE
        one.1  active   1/1  ████▉     62 high  70 %  50 %   1.2s  all its slots are …
        two.7  active   1/1  █▍        17 low   12 %  34 %   1.2s  all its slots are …
      ↑↓ choose · Enter open · / filter · c cancel · p pause · ? help · q leave
      "
    `)
  })

  it('says of an empty queue that nothing runs and nothing waits', () => {
    expect(shown(draw(monitorData({}), 80, 24))).toMatchInlineSnapshot(`
      "
      interlock monitor · http://127.0.0.1:7400                   12:00:00 · every 2 s
      pressure low  0 of 0 slots busy · 0 waiting
      Keep as it is: nothing waits, and no agent lives
      ─ Waiting by queue and priority ────────────────────────────────────────────────
      > default                  0            │ critical                 0
        high                     0            │ high                     0
        low                      0            │ normal                   0
                                              │ low                      0
      ─ Running 0 ────────────────────────────────────────────────────────────────────
        nothing runs
      ─ Waiting 0 ────────────────────────────────────────────────────────────────────
        nothing waits
      ─ Agents 0 ─────────────────────────────────────────────────────────────────────
        no agent lives









      ↑↓ choose · Enter open · / filter · c cancel · p pause · ? help · q leave
      "
    `)
  })

  it('fills any size exactly, and no line is ever wider', () => {
    const wide = monitorData({
      running: [
        {
          job_id: 'j'.repeat(60),
          task: 'ändern',
          user: '山田太郎'.repeat(9),
          models: ['模型'.repeat(20)],
          progress: 50,
          progress_description: '👩‍👩‍👧 處理中'.repeat(20),
        },
      ],
      waiting: Array.from({ length: 90 }, (_, n) => ({
        job_id: `w${n}`,
        user: `user-${n}-${'x'.repeat(n)}`,
        conflict_reason: 'busy\nand more '.repeat(n),
      })),
      agents: Array.from({ length: 30 }, (_, n) => ({ id: `agent-${'長'.repeat(n)}.${n}`, load_score: n })),
      startableLanes: 900,
    })
    for (const data of [busy, wide, null]) {
      for (const page of ['queue', 'help', 'job'] as const) {
        for (const [columns, rows] of [
          [100, 30],
          [80, 24],
          [40, 10],
          [20, 5],
          [200, 60],
          [1, 1],
          [7, 3],
        ] as const) {
          const view = { page, jobId: page === 'job' ? 'w1' : null }
          const lines = draw(data, columns, rows, view)
          const tooWide = lines.filter((line) => stringWidth(line) > columns)
          expect({ columns, rows, page, height: lines.length, tooWide }).toEqual({
            columns,
            rows,
            page,
            height: rows,
            tooWide: [],
          })
        }
      }
    }
  })

  it('keeps columns straight behind wide characters, and cuts long names before ids', () => {
    const data = monitorData({
      running: [
        { job_id: 'wide', user: '山田太郎', task: 'レンダリング' },
        { job_id: 'long', user: 'u'.repeat(90), task: 't'.repeat(90), agent_id: 'a-very-long-name-of-an-agent.12345' },
      ],
    })
    const lines = draw(data, 80, 30).filter((line) => /^[> ] (wide|long) /.test(line))
    expect(shown(lines)).toMatchInlineSnapshot(`
      "
      > wide  レンダリング     山田太郎                 one.1             1m  running
        long  tttttttttttttt…  uuuuuuuuuuuuuu…          a-very-long-na…   1m  running
      "
    `)
  })

  it('keeps the chosen row in sight, and says which rows of a long list are shown', () => {
    const data = monitorData({ waiting: Array.from({ length: 90 }, (_, n) => ({ job_id: `w${n}` })) })
    const lines = draw(data, 80, 24, { selected: 'job w70' })
    expect(lines.find((line) => line.startsWith('> '))).toMatch(/^> w70 /)
    expect(lines.find((line) => line.startsWith('─ Waiting 90'))).toMatch(/^─ Waiting 90 · 6\d to 7\d ─/)
  })

  it('colours pressure, queues and agents by their level, and the chosen row', () => {
    const lines = draw(busy, 100, 30, {}, coloured).map(inWords)
    expect(lines[1]).toMatch(/^<yellow>pressure moderate<\/>/)
    expect(lines.find((line) => line.startsWith('  one.1  '))).toMatch(/<red>.*62 high *<\/>/)
    expect(lines.find((line) => line.startsWith('  two.7 '))).toMatch(/<green>.*17 low *<\/>/)
    expect(lines.find((line) => line.startsWith('<inverse>> '))).toContain('d1024')
    expect(lines.find((line) => line.startsWith('  low'))).toMatch(/<yellow>█+▌ *<\/> 1 · paused/)
    const [, alone] = draw(monitorData({ waiting: [{}] }), 100, 30, {}, coloured).map(inWords)
    expect(alone).toMatch(/^<red><bold>pressure critical<\/><\/>/)
  })

  it('says of the latest alarms what they are, in red, and how many more there are', () => {
    const alarm = (message: string) => ({
      ...({ rule: 'queue_depth', subject: 'default', value: 101, bound: 100, message } as const),
      ...{ raised_at: ago(5), seen_at: ago(0) },
    })
    const alarms = ['one', 'two', 'three', 'four', 'five'].map((word) => alarm(`alarm ${word}`))
    const lines = drawScreen(sceneOf(monitorData({ alarms })), firstView, { columns: 80, rows: 24 }, coloured).map(
      inWords,
    )
    expect(lines.slice(2, 6)).toEqual([
      '<red>! alarm one</>',
      '<red>! alarm two</>',
      '<red>! alarm three</>',
      '<red>! and 2 more: interlock alarms list</>',
    ])
  })

  it('says that the server is away and for how long, and keeps what was known', () => {
    const scene = sceneOf(busy, {
      trouble: 'http://127.0.0.1:7400 cannot be reached: ECONNREFUSED',
      silentSeconds: 12.3,
    })
    const lines = drawScreen(scene, firstView, { columns: 100, rows: 30 }, plain)
    expect(lines[0]).toMatch(/no answer for 12s$/)
    expect(lines[1]).toBe('http://127.0.0.1:7400 cannot be reached: ECONNREFUSED; trying again')
    expect(lines.join('\n')).toContain('d1024')
  })

  it('asks the two questions differently, and names the job in both', () => {
    const ask = (isLast: boolean) =>
      draw(busy, 100, 30, {
        question: { about: 'cancel', jobId: 'd1024', what: 'fix-bug of alice, running', isLast },
      }).at(-1)
    expect(ask(false)).toBe(' Cancel d1024 (fix-bug of alice, running)? y/n ')
    expect(ask(true)).toBe(' Really cancel d1024 (fix-bug of alice, running)? y once more does it ')
  })

  it('shows of an opened job why it waits, all about it, and in sight below the last lines that it wrote', () => {
    const output = Array.from({ length: 50 }, (_, n) => ({ stream: 'stdout' as const, text: `line ${n} 山田` }))
    const scene = sceneOf(busy, { details: { job: opened, explanation, requests: [], output } })
    const view: View = { ...firstView, page: 'job', jobId: 'd1026' }
    const lines = drawScreen(scene, view, { columns: 80, rows: 24 }, plain)
    const text = lines.join('\n')
    expect(text).toContain('─ Job d1026 ─')
    expect(text).toContain('d1026 waits for user:alice')
    expect(text).toContain('  user:alice is held by d1024 fix-bug of alice (running)')
    expect(lines.at(-2)).toBe('line 49 山田')
    expect(text).not.toContain('line 40')
    const scrolled = drawScreen(scene, { ...view, scroll: 1_000_000 }, { columns: 80, rows: 24 }, plain)
    expect(scrolled.at(-2)).toBe('line 49 山田')
    expect(scrolled.join('\n')).toMatch(/x{79}\n/)
    expect(scrolled.join('\n')).not.toContain('waits for user:alice')
    for (const line of [...lines, ...scrolled]) expect(stringWidth(line)).toBeLessThanOrEqual(80)
  })

  it('filters jobs and agents by all the words, and says what of how many is left', () => {
    const text = draw(busy, 100, 30, { filter: 'RESIZE high' }).join('\n')
    expect(text).toContain('Waiting 4, 1 with "RESIZE high"')
    expect(text).toContain('d1027')
    expect(text).not.toContain('d1028')
    expect(text).toContain('nothing that runs fits the filter')
  })
})

describe('printable', () => {
  it('takes from all texts, however deep, what moves a cursor or turns the writing', () => {
    expect(
      printable({
        a: ['\u001b[2J\u001b[31mred\u001b[0m\r\nx\ty\u0007\u009b1A'],
        n: 1,
        d: { '\u202eevil': '\u202eabc\u2066' },
        z: null,
      }),
    ).toEqual({ a: ['red\nx  y'], n: 1, d: { evil: 'abc' }, z: null })
  })

  it('leaves other writing as it is', () => {
    const text = '山田 👩‍👩‍👧 é العربية – “x”'
    expect(printable(text)).toBe(text)
  })
})
