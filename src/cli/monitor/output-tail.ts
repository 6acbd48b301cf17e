import type { Backend } from '../backend.ts'
import type { OutputLine } from './monitor-data.ts'
import { printable } from './printable.ts'

const linesKept = 500
/** A job may have written megabytes: what is left after so many calls is read at the next look. */
const callsALook = 20

/** The last lines that a job wrote. It reads on from where it was, for the whole may be 10 MB. */
export class OutputTail {
  readonly jobId: string
  #after = 0
  #lines: readonly OutputLine[] = []

  constructor(jobId: string) {
    this.jobId = jobId
  }

  async read(backend: Pick<Backend, 'output'>): Promise<readonly OutputLine[]> {
    for (let call = 0; call < callsALook; call += 1) {
      const chunks = await backend.output(this.jobId, this.#after)
      if (chunks.length === 0) break
      for (const { seq, stream, lines } of chunks) {
        this.#after = Math.max(this.#after, seq)
        const texts = lines.split('\n').slice(-linesKept)
        this.#lines = [...this.#lines, ...texts.map((text) => ({ stream, text: printable(text) }))].slice(-linesKept)
      }
    }
    return this.#lines
  }
}
