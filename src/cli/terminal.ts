import { styleText } from 'node:util'

export type Paint = 'bold' | 'dim' | 'inverse' | 'red' | 'green' | 'yellow' | 'cyan'

/** What colours a text that goes to stdout. */
export type Painter = Pick<Terminal, 'paint'>

/** Where a command writes. Data goes to stdout; everything said to the person goes to stderr. */
export interface Terminal {
  /** Whether a person looks at stdout. */
  readonly isInteractive: boolean
  readonly width: number
  /** The same of stderr, where a log goes. */
  readonly log: { readonly isInteractive: boolean; readonly hasColour: boolean }
  /** One or more lines of data. */
  print(text: string): void
  /** Data as it is, without a newline behind it. */
  write(text: string): void
  /** One line for the person: an error, a hint, a progress. */
  note(text: string): void
  /** The text in a style, or as it is where colour is not wanted on stdout. */
  paint(style: Paint, text: string): string
  /** The same for stderr. */
  paintError(style: Paint, text: string): string
}

export interface TerminalOptions {
  readonly stdout: Stream
  readonly stderr: Stream
  readonly noColour: boolean
  readonly columns: number | null
}

interface Stream {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

/** What a pipe gets, and a terminal that does not say how wide it is. */
const defaultWidth = 80

export function createTerminal(options: TerminalOptions): Terminal {
  const { stdout, stderr, noColour } = options
  const isInteractive = stdout.isTTY === true
  const painter = (stream: Stream) => (style: Paint, text: string) =>
    stream.isTTY === true && !noColour ? styleText(style, text, { validateStream: false }) : text
  return {
    isInteractive,
    log: { isInteractive: stderr.isTTY === true, hasColour: stderr.isTTY === true && !noColour },
    // A terminal that does not know says 0.
    width: (isInteractive && stdout.columns) || options.columns || defaultWidth,
    print: (text) => void stdout.write(`${text}\n`),
    write: (text) => void stdout.write(text),
    note: (text) => void stderr.write(`${text}\n`),
    paint: painter(stdout),
    paintError: painter(stderr),
  }
}
