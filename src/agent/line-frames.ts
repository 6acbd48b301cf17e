import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'

/**
 * Reads newline-delimited JSON from a pipe and hands over each value. The two ends are the same program, so a line that
 * is not JSON is a defect: it throws. Waiting bytes are held as pieces and joined once, when their newline comes.
 */
export function readFrames(stream: Readable, onFrame: (frame: unknown) => void): void {
  const decoder = new StringDecoder('utf8')
  let pieces: string[] = []
  stream.on('data', (chunk: Buffer) => {
    const lines = decoder.write(chunk).split('\n')
    const last = lines.pop() ?? ''
    for (const line of lines) {
      pieces.push(line)
      const frame: unknown = JSON.parse(pieces.join(''))
      pieces = []
      onFrame(frame)
    }
    if (last !== '') pieces.push(last)
  })
}

export function toFrame(value: object): string {
  return `${JSON.stringify(value)}\n`
}
