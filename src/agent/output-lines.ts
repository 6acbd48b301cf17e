import { controlPrefix, jobLimits } from '../domain/job-protocol.ts'
import { storableText } from '../domain/storable-text.ts'

/** What may still be kept of a job's output, shared by its streams. */
export interface OutputBudget {
  bytesLeft: number
}

export interface Line {
  readonly text: string
  /** It was longer than a result may be; only its beginning is here. */
  readonly isCut: boolean
}

export interface Taken {
  /** Whole lines to keep, separated by newlines; null for none. */
  readonly text: string | null
  readonly controls: readonly Line[]
}

const newline = 10
const space = 32
const prefix = Buffer.from(controlPrefix)
const prefixOnNewLine = Buffer.from(`\n${controlPrefix}`)
const cutMark = ' [line cut]'
const nothing: Taken = Object.freeze({ text: null, controls: [] })
const noBytes = Buffer.alloc(0)
// A result of the greatest length, and the words before it.
const heldBytesMax = jobLimits.resultBytes + prefix.length + 64

/**
 * Cuts one stream of a job into lines, a chunk at a time and in bounded memory: it holds at most one unfinished line,
 * and of that no more than a result may be long. Blocks of whole lines are passed on as they are. Looking at each line
 * would cost a job that prints a gigabyte of short lines a minute of processor time; searching a block for the prefix
 * costs it a second. After the budget is spent, control lines and the last line are still found.
 */
export class OutputLines {
  readonly #budget: OutputBudget
  readonly #controls: boolean
  #unfinished = noBytes
  #unfinishedBytes = 0
  #isCutting = false
  #last: { readonly bytes: Buffer; readonly isCut: boolean } | null = null
  #tail = noBytes

  constructor(options: { readonly budget: OutputBudget; readonly controls: boolean }) {
    this.#budget = options.budget
    this.#controls = options.controls
  }

  /** The last line that is neither blank nor a control line; null until there is one. */
  get lastLine(): Line | null {
    return this.#last === null ? null : { text: decode(this.#last.bytes), isCut: this.#last.isCut }
  }

  /** The end of the stream, in whole characters. */
  get tail(): string {
    return decode(this.#tail).trimStart()
  }

  push(chunk: Buffer): Taken {
    const end = chunk.lastIndexOf(newline)
    if (end < 0) {
      this.#hold(chunk)
      return nothing
    }
    const isCut = this.#isCutting
    const start = isCut ? chunk.indexOf(newline) : 0
    const held = this.#release()
    const whole = chunk.subarray(start, end)
    const block = held.length === 0 ? whole : Buffer.concat([held, whole])
    this.#hold(chunk.subarray(end + 1))
    return this.#take(block, isCut)
  }

  /** What was left without a newline is a line too. */
  end(): Taken {
    const isCut = this.#isCutting
    return this.#unfinishedBytes === 0 ? nothing : this.#take(this.#release(), isCut)
  }

  // Grows by doubling: a list of chunks would cost a hundred bytes a byte when a job writes one byte at a time.
  #hold(bytes: Buffer): void {
    const size = Math.min(this.#unfinishedBytes + bytes.length, heldBytesMax)
    if (size < this.#unfinishedBytes + bytes.length) this.#isCutting = true
    if (size > this.#unfinished.length) {
      const grown = Buffer.allocUnsafeSlow(Math.min(heldBytesMax, Math.max(4096, size * 2)))
      this.#unfinished.copy(grown, 0, 0, this.#unfinishedBytes)
      this.#unfinished = grown
    }
    bytes.copy(this.#unfinished, this.#unfinishedBytes, 0, size - this.#unfinishedBytes)
    this.#unfinishedBytes = size
  }

  #release(): Buffer {
    const held = this.#unfinished.subarray(0, this.#unfinishedBytes)
    this.#unfinished = noBytes
    this.#unfinishedBytes = 0
    this.#isCutting = false
    return held
  }

  // Only the first line of a block can have been cut: it alone was held.
  #take(block: Buffer, isCut: boolean): Taken {
    this.#remember(block, isCut)
    const hasControls = this.#controls && (startsWith(block, prefix) || block.includes(prefixOnNewLine))
    if (!hasControls) return { text: this.#keep(block), controls: [] }
    const lines = split(block)
    const controls = lines.flatMap((line, index) =>
      startsWith(line, prefix) ? [{ text: decode(line), isCut: isCut && index === 0 }] : [],
    )
    const others = lines.filter((line) => !startsWith(line, prefix))
    const text = others.length === 0 ? null : this.#keep(join(others))
    return { text, controls }
  }

  #keep(block: Buffer): string | null {
    const { lineBytes, stackBytes } = jobLimits
    this.#tail = Buffer.concat([this.#tail, Buffer.from('\n'), block.subarray(-stackBytes)]).subarray(-stackBytes)
    if (this.#budget.bytesLeft <= 0) return null
    const text = block.length <= lineBytes ? decode(block) : split(block).map(shorten).join('\n')
    this.#budget.bytesLeft -= Buffer.byteLength(text) + 1
    return text
  }

  // From the end, byte by byte: a block of a thousand blank lines is passed over in one go.
  #remember(block: Buffer, isCut: boolean): void {
    let end = block.length
    while (end > 0) {
      while (end > 0 && (block[end - 1] ?? 0) <= space) end -= 1
      if (end === 0) return
      const start = block.lastIndexOf(newline, end - 1) + 1
      const line = block.subarray(start, end)
      if (!this.#controls || !startsWith(line, prefix)) {
        this.#last = { bytes: line, isCut: isCut && start === 0 }
        return
      }
      end = start
    }
  }
}

function startsWith(bytes: Buffer, start: Buffer): boolean {
  return bytes.length >= start.length && bytes.subarray(0, start.length).equals(start)
}

function split(block: Buffer): Buffer[] {
  const lines: Buffer[] = []
  let start = 0
  for (let end = block.indexOf(newline); end >= 0; end = block.indexOf(newline, start)) {
    lines.push(block.subarray(start, end))
    start = end + 1
  }
  return [...lines, block.subarray(start)]
}

function join(lines: readonly Buffer[]): Buffer {
  return Buffer.concat(lines.flatMap((line, index) => (index === 0 ? [line] : [Buffer.from('\n'), line])))
}

function shorten(line: Buffer): string {
  return line.length <= jobLimits.lineBytes ? decode(line) : decode(line.subarray(0, jobLimits.lineBytes)) + cutMark
}

// Invalid UTF-8 becomes U+FFFD here, and so does NUL: Postgres takes neither.
function decode(bytes: Buffer): string {
  return storableText(bytes.toString('utf8'))
}
