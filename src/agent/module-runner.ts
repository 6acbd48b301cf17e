import { writeSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { format } from 'node:util'
import type { Assignment } from '../domain/assignment.ts'
import { type AssignmentJson, assignmentFromJson } from '../domain/assignment-json.ts'
import { clampPercent, controlPrefix, exitCodes } from '../domain/job-protocol.ts'
import type { AnswerLine, TaskAnswer, TaskQuestion } from '../domain/job-question.ts'
import { describeIssues, isTaskDefinition, type TaskContext, type TaskDefinition } from '../domain/task-definition.ts'
import { readFrames } from './line-frames.ts'

/**
 * The process of a task that is a module: `module-runner PATH`, on stdin a line of JSON each: the job, then the answers
 * to what it asks. What it reports goes by control lines on descriptor 3; what the module prints is output and nothing
 * else, whatever it looks like.
 */
const channel = 3
const [, , path = ''] = process.argv

interface Failure {
  readonly message: string
  readonly code: string
  readonly stack?: string
  readonly field?: string
}

function say(verb: string, words: string): void {
  let bytes = Buffer.from(`${controlPrefix}${verb} ${words}\n`)
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(channel, bytes))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
  }
}

async function leave(exitCode: number): Promise<never> {
  await new Promise((resolve) => process.stdout.write('', resolve))
  // A module may leave timers and connections behind; the job is over all the same.
  process.exit(exitCode)
}

async function fail(exitCode: number, failure: Failure): Promise<never> {
  say('error', JSON.stringify(failure))
  return await leave(exitCode)
}

async function failWith(error: unknown): Promise<never> {
  if (!(error instanceof Error)) return await fail(1, { message: `threw ${format(error)}`, code: 'exception' })
  const { code, retry } = error as { readonly code?: unknown; readonly retry?: unknown }
  const exitCode = retry === 'now' ? exitCodes.retry : retry === 'never' ? exitCodes.fatal : 1
  return await fail(exitCode, {
    message: error.message,
    code: typeof code === 'string' ? code : 'exception',
    ...(error.stack === undefined ? {} : { stack: error.stack.slice(0, 8192) }),
  })
}

async function load(): Promise<TaskDefinition> {
  const module = (await import(pathToFileURL(path).href)) as { readonly default?: unknown }
  if (isTaskDefinition(module.default)) return module.default
  const message = `${path} does not export a task: its default export must come from defineTask()`
  return await fail(exitCodes.fatal, { message, code: 'no_task' })
}

async function checkPayload(task: TaskDefinition, payload: unknown): Promise<unknown> {
  const checked = await task.input?.['~standard'].validate(payload)
  if (checked === undefined) return payload
  if (checked.issues === undefined) return checked.value
  return await fail(exitCodes.fatal, { code: 'invalid_input', ...describeIssues(checked.issues, 'payload') })
}

/** A model may answer otherwise the next time, so a result of the wrong shape is an ordinary failure: tried again. */
async function checkResult(task: TaskDefinition, result: unknown): Promise<unknown> {
  const checked = await task.output?.['~standard'].validate(result)
  if (checked === undefined) return result
  if (checked.issues === undefined) return checked.value
  return await fail(1, { code: 'invalid_output', ...describeIssues(checked.issues, 'result') })
}

const answers = new Map<string, PromiseWithResolvers<TaskAnswer>>()
let asked = 0

function ask(question: TaskQuestion): Promise<TaskAnswer> {
  const id = String(++asked)
  const answer = Promise.withResolvers<TaskAnswer>()
  answers.set(id, answer)
  const { expiresInSeconds, conversationId, parentMessageId, releaseModels, releaseResources, ...more } = question
  say(
    'ask',
    JSON.stringify({
      ...more,
      id,
      expires_in_seconds: expiresInSeconds,
      conversation_id: conversationId,
      parent_message_id: parentMessageId,
      release_models: releaseModels,
      release_resources: releaseResources,
    }),
  )
  // Nothing but an open question keeps a module alive that waits for nothing else.
  process.stdin.ref()
  return answer.promise
}

function hear(
  { ask: id, request_id: requestId, status, error, ...said }: AnswerLine,
  fences: Record<string, number>,
): void {
  const answer = answers.get(id ?? '')
  answers.delete(id ?? '')
  if (answers.size === 0) process.stdin.unref()
  Object.assign(fences, said.fences)
  if (status === 'refused') answer?.reject(Object.assign(new Error(said.message), error))
  else {
    answer?.resolve({
      requestId: requestId ?? '',
      status,
      type: said.type,
      message: said.message,
      instructions: said.instructions,
      responder: said.responder_id,
      generatedBy: said.generated_by,
    })
  }
}

function contextOf(job: Assignment, fences: Readonly<Record<string, number>>, signal: AbortSignal): TaskContext {
  return {
    signal,
    job,
    ask,
    token: job.token,
    fences,
    log: (...words) => {
      process.stdout.write(`${format(...words)}\n`)
    },
    progress: (percent, description = '') => {
      say('progress', `${clampPercent(percent)} ${description.replaceAll(/\s+/g, ' ')}`)
    },
    step: (name) => say('step', name.replaceAll(/\s+/g, ' ').trim()),
    heartbeat: () => say('heartbeat', ''),
  }
}

/** The first line is the job; what comes later are answers. */
async function receive(): Promise<{ readonly job: Assignment; readonly fences: Record<string, number> }> {
  const first = Promise.withResolvers<AssignmentJson>()
  const fences: Record<string, number> = {}
  let isFirst = true
  readFrames(process.stdin, (frame) => {
    if (isFirst) first.resolve(frame as AssignmentJson)
    else hear(frame as AnswerLine, fences)
    isFirst = false
  })
  process.stdin.on('end', () => {
    first.reject(new Error('the job did not come'))
    for (const { reject } of answers.values()) reject(new Error('nobody is there any more to answer'))
  })
  const job = assignmentFromJson(await first.promise)
  process.stdin.unref()
  return { job, fences: Object.assign(fences, job.fences) }
}

async function run(): Promise<void> {
  const stopping = new AbortController()
  process.on('SIGTERM', () => stopping.abort(new Error('the job is stopped')))
  const { job, fences } = await receive()
  const task = await load()
  const payload = await checkPayload(task, job.payload)
  const result = await checkResult(task, await task.run(payload, contextOf(job, fences, stopping.signal)))
  say('result', JSON.stringify(result ?? null) ?? 'null')
  await leave(exitCodes.completed)
}

process.on('uncaughtException', (error) => void failWith(error))
run().catch(failWith)
