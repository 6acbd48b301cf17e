import { describe, expect, it } from 'vitest'
import { gantt } from '../../scripts/demo/gantt.ts'
import { demoLog } from '../support/demo-log.ts'

describe('the timeline of the demonstration', () => {
  it('draws a claim as a bar, a wait as dots, and marks what did not complete', () => {
    const log = demoLog()
    log.enqueue('a-1', 0).enqueue('a-2', 0).enqueue('a-3', 0)
    log.claim('a-1', ['user:a'], 0).end('a-1', 'completed', 2000)
    log.claim('a-2', ['user:a'], 3000).end('a-2', 'failed', 5000)
    log.claim('a-3', ['user:a', 'model:m'], 8000).end('a-3', 'completed', 8050)
    const rows = [
      { label: 'a', resource: 'user:a' },
      { label: 'model m', resource: 'model:m' },
    ]
    expect(gantt(log.events, rows, { columns: 49, fromMs: 0, toMs: 10_000 })).toBe(
      [
        '         0s      2s      4s      6s      8s',
        'a        [a-1===]....[a-2===x............|',
        'model m  ................................|',
      ].join('\n'),
    )
  })

  it('draws a claim that still lasts as open', () => {
    const log = demoLog()
    log.enqueue('a-1', 0).claim('a-1', ['user:a'], 0)
    const text = gantt(log.events, [{ label: 'a', resource: 'user:a' }], { columns: 13, fromMs: 0, toMs: 1000 })
    expect(text).toContain('a  [a-1=====>')
  })
})
