import type { Response } from 'express'
import { z } from 'zod'
import { checkContract } from '../../domain/contract.ts'
import { isFinished, type Job } from '../../domain/job.ts'
import { type OutputChunkView, type OutputStream, outputChunk, outputStreams } from '../../domain/output-view.ts'
import { type OutputChunk, readOutput } from '../../store/job-output.ts'
import { readJob } from '../../store/job-reader.ts'
import { withDeadline } from '../deadline.ts'
import { EventStream, writeGently } from '../event-stream.ts'
import { flag, wholeNumber } from '../query.ts'
import { type Answer, type Call, type Exchange, pathParameter, type Route } from '../route.ts'
import type { Services } from '../services.ts'
import { jobNotFound } from './jobs.ts'

const outputQuery = z.strictObject({
  follow: flag.default(false),
  stream: z.enum(outputStreams).optional(),
  after: wholeNumber({ min: 0, max: Number.MAX_SAFE_INTEGER }).optional(),
  limit: wholeNumber({ min: 1, max: 1000 }).default(200),
})
const outputPage = z.object({
  job_id: z.string(),
  chunks: z.array(outputChunk),
  next_after: z.int().nullable().describe('Where to go on; null: these were the last so far.'),
})

/** Chunks may be 1 MiB each; so many are in memory at once. */
const chunksAtOnce = 20

/** Where a job may be quiet for hours, nobody needs to look more often than this in case a word was lost. */
const quietSeconds = 30

/**
 * What a job has written, chunk by chunk: as JSON lines from the chunk after `after` to the last one there is, as one
 * JSON object of at most `limit` chunks for who accepts only that, or with `follow` as server-sent events until the job
 * has ended.
 */
export function jobOutputRoutes({ database, feed }: Services): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/jobs/:id/output',
      scope: 'read',
      name: 'get_job_output',
      summary:
        'What a job has written: a page where JSON is accepted, else all of it as JSON lines; with follow, server-sent events `output` and at last `end`, until the job has ended.',
      query: outputQuery,
      answers: { 200: outputPage },
      answer: page,
      stream: output,
      isLong: true,
    },
  ]

  async function page({ request }: Call): Promise<Answer> {
    const { follow: _isFollowed, ...query } = checkContract(outputQuery, { ...request.query })
    const job = await read(pathParameter(request, 'id'))
    return { status: 200, body: await readPage(job, { ...query, afterSeq: query.after ?? 0 }) }
  }

  async function output(call: Call, { request, response }: Exchange): Promise<void> {
    const query = checkContract(outputQuery, { ...request.query })
    const job = await read(pathParameter(request, 'id'))
    const accepted = request.accepts(['application/x-ndjson', 'text/event-stream', 'application/json'])
    if (query.follow || accepted === 'text/event-stream') {
      const resumedFrom = Number(request.get('last-event-id') ?? 0)
      const afterSeq = query.after ?? (Number.isSafeInteger(resumedFrom) && resumedFrom > 0 ? resumedFrom : 0)
      await follow(call, response, job, { afterSeq, stream: query.stream })
    } else if (accepted === 'application/json') {
      response.json(await readPage(job, { ...query, afterSeq: query.after ?? 0 }))
    } else {
      await sendLines(call, response, job, { afterSeq: query.after ?? 0, stream: query.stream })
    }
  }

  async function readPage(job: Job, { limit, ...selection }: Selection & { readonly limit: number }) {
    const chunks = await readChunks(job, selection, limit)
    const next = chunks.length === limit ? (chunks.at(-1)?.seq ?? null) : null
    return { job_id: job.id, chunks: chunks.map(chunkView), next_after: next }
  }

  async function sendLines({ signal }: Call, response: Response, job: Job, selection: Selection): Promise<void> {
    let { afterSeq } = selection
    let chunks = await readChunks(job, selection)
    response.status(200).set({ 'Content-Type': 'application/x-ndjson; charset=utf-8', 'Cache-Control': 'no-store' })
    while (chunks.length > 0 && !signal.aborted) {
      for (const chunk of chunks) await writeGently(response, `${JSON.stringify(chunkView(chunk))}\n`, signal)
      afterSeq = chunks.at(-1)?.seq ?? afterSeq
      chunks = await readChunks(job, { ...selection, afterSeq })
    }
    response.end()
  }

  async function follow({ signal }: Call, response: Response, job: Job, { stream, ...from }: Selection): Promise<void> {
    let { afterSeq } = from
    const watch = feed.watch(job.id)
    const events = new EventStream(response, signal)
    try {
      while (!signal.aborted) {
        // The state is read before the output: what was written before the end is then sent before it is told.
        const now = await read(job.id)
        for (;;) {
          // All streams, or what another one writes would look new for ever.
          const chunks = await readChunks(job, { afterSeq, stream: undefined })
          for (const chunk of chunks) {
            if (stream === undefined || chunk.stream === stream) {
              await events.send({ name: 'output', id: chunk.seq, data: chunkView(chunk) })
            }
          }
          if (chunks.length === 0 || signal.aborted) break
          afterSeq = chunks.at(-1)?.seq ?? afterSeq
        }
        if (isFinished(now.status)) {
          await events.send({ name: 'end', data: { job_id: now.id, status: now.status } })
          return
        }
        watch.followOutput(afterSeq)
        if ((await watch.next({ timeoutSeconds: quietSeconds, signal })) === 'closed') return
      }
    } finally {
      watch.close()
      events.end()
    }
  }

  function readChunks(
    job: Job,
    { afterSeq, stream }: Selection,
    limit = chunksAtOnce,
  ): Promise<readonly OutputChunk[]> {
    return withDeadline(readOutput(database, job.id, { afterSeq, limit, stream }))
  }

  async function read(id: string): Promise<Job> {
    const job = await withDeadline(readJob(database, id))
    if (job === null) throw jobNotFound(id)
    return job
  }
}

interface Selection {
  readonly afterSeq: number
  readonly stream?: OutputStream | undefined
}

function chunkView(chunk: OutputChunk): OutputChunkView {
  return {
    seq: chunk.seq,
    attempt: chunk.attempt,
    stream: chunk.stream,
    created_at: chunk.createdAt.toISOString(),
    lines: chunk.lines,
  }
}
