import { describe, expect, it } from 'vitest'
import { type Key, pressKey, pressKeys, type Wish } from '../../src/cli/monitor/keys.ts'
import { firstView, rowsOf, selectionIn, type View } from '../../src/cli/monitor/view.ts'
import { monitorData } from './monitor-facts.ts'

const data = monitorData({
  running: [{ job_id: 'r1' }, { job_id: 'r2', queue: 'high', user: 'bob' }],
  waiting: [{ job_id: 'w1' }, { job_id: 'w2', user: 'carol' }],
})
const seen = { data, details: null }

/** Presses one after the other: a name, or a sign each. */
function press(view: View, ...keys: readonly (string | Key)[]): { view: View; wishes: readonly Wish[] } {
  const wishes: Wish[] = []
  let now = view
  for (const key of keys) {
    const pressed = pressKey(now, typeof key === 'string' ? { sign: key } : key, seen)
    now = pressed.view
    if (pressed.wish !== null) wishes.push(pressed.wish)
  }
  return { view: now, wishes }
}
const chosen = (view: View) => {
  const rows = rowsOf(data, view.filter)
  return rows.keys[selectionIn(view, rows)]
}
const named = (name: Extract<Key, { name: string }>['name']): Key => ({ name }) as Key

describe('the keys of the monitor', () => {
  it('go through queues, running and waiting jobs in order, and stay within', () => {
    expect(rowsOf(data, '').keys).toEqual(['queue default', 'queue high', 'job r1', 'job r2', 'job w1', 'job w2'])
    expect(chosen(firstView)).toBe('job r1')
    expect(chosen(press(firstView, named('down'), 'j').view)).toBe('job w1')
    expect(chosen(press(firstView, named('up'), 'k', 'k', 'k').view)).toBe('queue default')
    expect(chosen(press(firstView, 'G', named('pagedown')).view)).toBe('job w2')
    expect(chosen(press(firstView, named('end'), 'g').view)).toBe('queue default')
  })

  it('keep a job chosen while others come and go, and choose its neighbour when it is gone', () => {
    const { view } = press(firstView, named('down'))
    expect(chosen(view)).toBe('job r2')
    const later = rowsOf(monitorData({ running: [{ job_id: 'r0' }, { job_id: 'r1' }, { job_id: 'r2' }] }), '')
    expect(later.keys[selectionIn(view, later)]).toBe('job r2')
    const gone = rowsOf(monitorData({ running: [{ job_id: 'r1' }] }), '')
    expect(gone.keys[selectionIn(view, gone)]).toBe('job r1')
  })

  it('cancel only after two yeses, of the job that was chosen at the first', () => {
    const asked = press(firstView, 'c')
    expect(asked.view.question).toEqual({
      about: 'cancel',
      jobId: 'r1',
      what: 'resize of alice, running',
      isLast: false,
    })
    expect(press(asked.view, 'y').wishes).toEqual([])
    expect(press(asked.view, 'y', 'y').wishes).toEqual([{ kind: 'cancel', jobId: 'r1' }])
    for (const no of ['n', 'q', 'c', named('enter'), named('escape'), named('down')]) {
      for (const before of [asked.view, press(asked.view, 'y').view]) {
        expect(press(before, no)).toEqual({ view: { ...before, question: null }, wishes: [] })
      }
    }
  })

  it('never take for an answer what was pasted together with the question', () => {
    const signs = [...'cyy'].map((sign) => ({ sign }))
    const pressed = pressKeys(firstView, signs, seen)
    expect(pressed.wish).toBeNull()
    expect(pressed.view.question).toMatchObject({ jobId: 'r1', isLast: false })
    const again = pressKeys(pressed.view, [{ sign: 'y' }, { sign: 'y' }], seen)
    expect(again.wish).toBeNull()
    expect(again.view.question).toMatchObject({ isLast: true })
  })

  it('pause the chosen queue or the queue of the chosen job, and resume it when it is paused', () => {
    expect(press(firstView, 'g', 'p', 'y').wishes).toEqual([{ kind: 'pause', queue: 'default' }])
    expect(press(firstView, 'j', 'p', 'y').wishes).toEqual([{ kind: 'pause', queue: 'high' }])
    expect(press(firstView, 'j', 'p', 'n').wishes).toEqual([])
    const paused = { data: monitorData({ waiting: [{}], paused: ['default'] }), details: null }
    expect(pressKey(firstView, { sign: 'p' }, paused).view.question).toEqual({ about: 'resume', queue: 'default' })
  })

  it('filter while one types, letters that are keys elsewhere among them', () => {
    const typed = press(firstView, '/', ...'caroq', named('backspace'), 'l')
    expect(typed.view).toMatchObject({ filter: 'carol', isTyping: true })
    expect(typed.wishes).toEqual([])
    expect(chosen(typed.view)).toBe('job w2')
    const kept = press(typed.view, named('enter')).view
    expect(kept).toMatchObject({ filter: 'carol', isTyping: false })
    expect(press(kept, named('escape')).view.filter).toBe('')
    expect(press(typed.view, named('escape')).view).toMatchObject({ filter: '', isTyping: false })
  })

  it('open a job, scroll in it, and go back to the same row', () => {
    const opened = press(firstView, named('down'), named('enter'), named('down'), named('pagedown')).view
    expect(opened).toMatchObject({ page: 'job', jobId: 'r2', scroll: 11 })
    expect(press(opened, 'c').view.question).toMatchObject({ jobId: 'r2' })
    const back = press(opened, named('escape')).view
    expect(back).toMatchObject({ page: 'queue', jobId: null, scroll: 0 })
    expect(chosen(back)).toBe('job r2')
    expect(press(firstView, 'g', named('enter')).view.page).toBe('queue')
  })

  it('show help and go back to where one was', () => {
    expect(press(firstView, '?').view.page).toBe('help')
    expect(press(firstView, '?', 'x').view.page).toBe('queue')
    expect(press(firstView, named('enter'), '?', 'x').view).toMatchObject({ page: 'job', jobId: 'r1' })
  })

  it('leave by q, and by Ctrl-C whatever is open', () => {
    expect(press(firstView, 'q').wishes).toEqual([{ kind: 'leave' }])
    expect(press(firstView, '?', 'q').wishes).toEqual([{ kind: 'leave' }])
    for (const before of [['/'], ['c'], ['?'], [named('enter')]]) {
      expect(press(press(firstView, ...before).view, named('interrupt')).wishes).toEqual([{ kind: 'leave' }])
    }
  })
})
