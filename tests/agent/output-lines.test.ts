import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OutputLines } from '../../src/agent/output-lines.ts'
import { jobLimits } from '../../src/domain/job-protocol.ts'

interface Read {
  readonly text: string[]
  readonly controls: string[]
  readonly last: string | null
}

function read(
  chunks: readonly Buffer[],
  options: { readonly controls?: boolean; readonly bytesLeft?: number } = {},
): Read {
  const budget = { bytesLeft: options.bytesLeft ?? Number.POSITIVE_INFINITY }
  const lines = new OutputLines({ budget, controls: options.controls ?? true })
  const taken = [...chunks.map((chunk) => lines.push(chunk)), lines.end()]
  return {
    text: taken.flatMap(({ text }) => (text === null ? [] : text.split('\n'))),
    controls: taken.flatMap(({ controls }) => controls.map(({ text, isCut }) => (isCut ? `${text.length} cut` : text))),
    last: lines.lastLine?.text ?? null,
  }
}

function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set([...places.map((place) => place % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b)
  return ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end))
}

const word = fc.constantFrom(
  'plain',
  '',
  '  ',
  'héllo ✓',
  '::interlock progress 5 x',
  ' ::interlock no',
  '{"a":1}',
  '::interlock',
  'x'.repeat(300),
)

describe('OutputLines', () => {
  it('finds the same lines however the stream is cut into chunks', () => {
    fc.assert(
      fc.property(fc.array(word), fc.boolean(), fc.array(fc.nat()), (words, endsWithNewline, places) => {
        const bytes = Buffer.from(words.join('\n') + (endsWithNewline ? '\n' : ''))
        const lines = bytes.toString().split('\n')
        if (lines.at(-1) === '') lines.pop()
        const isControl = (line: string) => line.startsWith('::interlock ')
        const found = read(cutAt(bytes, places))
        expect(found.text).toEqual(lines.filter((line) => !isControl(line)))
        expect(found.controls).toEqual(lines.filter(isControl))
        const last = lines.findLast((line) => line.trim() !== '' && !isControl(line)) ?? null
        expect(found.last?.trimEnd() ?? null).toBe(last?.trimEnd() ?? null)
      }),
    )
  })

  it('makes text of any bytes that Postgres can store', () => {
    const { text } = read([Buffer.from([0x61, 0x00, 0xff, 0xc3, 0x28, 0x0a])])
    expect(text).toEqual(['a\uFFFD\uFFFD\uFFFD('])
  })

  it('keeps no more than the budget, and hears control lines and the last line beyond it', () => {
    const chunks = Array.from({ length: 100 }, () => Buffer.from(`${'y'.repeat(99)}\n`))
    const found = read([...chunks, Buffer.from('::interlock result 1\n{"last":true}\n')], { bytesLeft: 1000 })
    expect(found.text).toHaveLength(10)
    expect(found.controls).toEqual(['::interlock result 1'])
    expect(found.last).toBe('{"last":true}')
  })

  it('takes a result of the greatest length whole, and marks a longer one', () => {
    const full = `::interlock result "${'r'.repeat(jobLimits.resultBytes - 2)}"`
    expect(read([Buffer.from(`${full}\n`)]).controls).toEqual([full])
    const chunks = Array.from({ length: 40 }, () => Buffer.alloc(65_536, 'r'))
    const { controls } = read([Buffer.from('::interlock result "'), ...chunks, Buffer.from('"\nafter\n')])
    expect(controls).toEqual([expect.stringMatching(/^\d+ cut$/)])
  })

  it('takes no control line from a stream that has none', () => {
    const found = read([Buffer.from('::interlock result 1\n')], { controls: false })
    expect(found).toEqual({ text: ['::interlock result 1'], controls: [], last: '::interlock result 1' })
  })
})
