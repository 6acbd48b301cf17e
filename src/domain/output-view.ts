import { z } from 'zod'

export const outputStreams = ['stdout', 'stderr', 'system'] as const
export type OutputStream = (typeof outputStreams)[number]

/** A piece of what a job wrote, as every door shows it. */
export const outputChunk = z
  .object({
    seq: z.int(),
    attempt: z.int(),
    stream: z.enum(outputStreams),
    created_at: z.iso.datetime(),
    lines: z.string().describe('Whole lines, without the last newline.'),
  })
  .readonly()
  .meta({ id: 'OutputChunk' })
export type OutputChunkView = z.output<typeof outputChunk>
