import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { jobLimits } from '../domain/job-protocol.ts'
import {
  exitWithoutProcess,
  type JobExit,
  type JobStart,
  type KeeperEvent,
  type OutputStream,
  type StopCause,
} from './keeper-messages.ts'
import type { MemoryLimit, MemoryLimits } from './memory-limits.ts'
import { type OutputBudget, OutputLines, type Taken } from './output-lines.ts'
import { ProcessEnding } from './process-ending.ts'

const straysGraceMs = 500
// A pipeline's last part may still be writing when its first has ended.
const straysPatienceMs = 100
const pipesPatienceMs = 1000

/** What a job is told of its keeper. */
export interface KeeperOfJob {
  readonly id: string
  readonly send: (event: KeeperEvent) => void
  /** Null: none of its jobs is limited. */
  readonly memory: MemoryLimits | null
}

interface Pipe {
  readonly stream: Readable
  readonly lines: OutputLines
  readonly name: OutputStream
}

/** One job in the keeper: its processes from the start until the last of them is gone. */
export class KeptJob {
  /** Settled when nothing is left of it, and the agent has been told. */
  readonly done: Promise<void>
  readonly #start: JobStart
  readonly #keeperId: string
  readonly #send: (event: KeeperEvent) => void
  readonly #memory: MemoryLimits | null
  #limit: MemoryLimit | null = null
  readonly #budget: OutputBudget = { bytesLeft: jobLimits.outputBytes }
  readonly #settle: () => void
  #child: ChildProcess | null = null
  #pipes: readonly Pipe[] = []
  #ending: ProcessEnding | null = null
  #stopCause: StopCause | null = null
  #isPaused = false
  #isThrottled = false
  #hasExited = false
  #isOver = false

  constructor(start: JobStart, keeper: KeeperOfJob) {
    this.#start = start
    this.#keeperId = keeper.id
    this.#send = keeper.send
    this.#memory = keeper.memory
    const { promise, resolve } = Promise.withResolvers<void>()
    this.done = promise
    this.#settle = resolve
    try {
      this.#spawn()
    } catch (error) {
      this.#fail(error)
    }
  }

  /** The agent cannot take more of this job's output for now. */
  set isPaused(isPaused: boolean) {
    this.#isPaused = isPaused
    this.#flow()
  }

  /** The agent takes nothing for now. */
  set isThrottled(isThrottled: boolean) {
    this.#isThrottled = isThrottled
    this.#flow()
  }

  /** Ends all its processes; asked again, with the shorter of the graces. The first cause is the one reported. */
  stop(cause: StopCause, graceMs: number): void {
    const pid = this.#child?.pid
    if (this.#isOver || pid === undefined) return
    this.#stopCause ??= cause
    if (this.#ending !== null) {
      this.#ending.hasten(graceMs)
      return
    }
    this.#ending = this.#end(pid, graceMs)
    void this.#ending.done.then(({ left }) => {
      // It was killed and the kernel does not let go of it: nobody waits for an exit that may never come.
      if (left > 0) void this.#finish({ exitCode: null, signal: null })
    })
  }

  /** Ends it, without a grace that it would use to take more, when it has taken more memory than it may. */
  checkMemory(): void {
    const pid = this.#child?.pid
    if (this.#isOver || pid === undefined || this.#limit?.isExceeded(pid) !== true) return
    this.stop('out_of_memory', 0)
  }

  /** More of its input. What it does not read is nobody's. */
  write(text: string): void {
    const stdin = this.#child?.stdin
    if (this.#isOver || this.#start.isInputOpen !== true || stdin?.writable !== true) return
    stdin.write(text)
  }

  #spawn(): void {
    const { command, cwd, environment, input, key, hasChannel, isInputOpen = false } = this.#start
    this.#limit = this.#limitOf(this.#start)
    const [program = '', ...words] = this.#limit?.wrap(command) ?? command
    const child = spawn(program, words, {
      cwd: cwd ?? undefined,
      env: { ...environment, INTERLOCK_KEEPER: this.#keeperId, INTERLOCK_START: key },
      stdio: hasChannel ? ['pipe', 'pipe', 'pipe', 'pipe'] : ['pipe', 'pipe', 'pipe'],
      // A session, and so a process group, of its own.
      detached: true,
    })
    this.#child = child
    child.on('error', (error) => this.#fail(error))
    if (child.pid === undefined) return
    preferToBeKilled(child.pid)
    const [stdin, stdout, stderr, channel] = child.stdio as unknown as [Writable, Readable, Readable, Readable?]
    // Few commands read all of their stdin; the others close it.
    stdin.on('error', () => undefined)
    if (isInputOpen) stdin.write(input)
    else stdin.end(input)
    this.#pipes = [
      this.#read('stdout', stdout, { controls: !hasChannel, budget: this.#budget }),
      this.#read('stderr', stderr, { controls: false, budget: this.#budget }),
      ...(channel === undefined ? [] : [this.#read('stdout', channel, { controls: true, budget: { bytesLeft: 0 } })]),
    ]
    child.on('exit', (exitCode, signal) => {
      this.#hasExited = true
      void this.#finish({ exitCode, signal })
    })
    this.#send({ type: 'started', key, pid: child.pid })
  }

  #read(name: OutputStream, stream: Readable, options: { controls: boolean; budget: OutputBudget }): Pipe {
    const lines = new OutputLines(options)
    stream.on('data', (chunk: Buffer) => this.#tell(name, lines.push(chunk)))
    stream.on('error', () => undefined)
    return { stream, lines, name }
  }

  #tell(stream: OutputStream, { text, controls }: Taken): void {
    const { key } = this.#start
    if (this.#isOver) return
    if (text !== null) this.#send({ type: 'output', key, stream, text })
    for (const line of controls) this.#send({ type: 'control', key, line })
  }

  // A job whose output is no longer kept is never held up, only skimmed; but nobody writes to an agent that takes
  // nothing. What it printed last is read to the end in any case: it is no more than the pipes hold.
  #flow(): void {
    const isHeld = this.#isThrottled || (this.#isPaused && this.#budget.bytesLeft > 0)
    for (const { stream } of this.#pipes) isHeld && !this.#hasExited ? stream.pause() : stream.resume()
  }

  async #finish(exit: { readonly exitCode: number | null; readonly signal: string | null }): Promise<void> {
    const child = this.#child
    if (this.#isOver || child?.pid === undefined) return
    const areClosed = Promise.all(this.#pipes.map(({ stream }) => closed(stream)))
    this.#flow()
    if (this.#ending === null) await Promise.race([areClosed, sleep(straysPatienceMs)])
    const isStopped = this.#ending !== null
    this.#ending ??= this.#end(child.pid, straysGraceMs)
    const { found, left } = await this.#ending.done
    await Promise.race([areClosed, sleep(pipesPatienceMs)])
    if (this.#isOver) return
    // The kernel may have killed for it since the last look, or a part of it only: then the whole was not done.
    if (this.#limit?.isExceeded(child.pid) === true) this.#stopCause ??= 'out_of_memory'
    for (const { lines, name } of this.#pipes) this.#tell(name, lines.end())
    const [stdout, stderr] = this.#pipes
    this.#over({
      ...exitWithoutProcess(this.#start.key, exit),
      lastLine: stdout?.lines.lastLine ?? null,
      errorTail: stderr?.lines.tail ?? '',
      strays: isStopped ? 0 : found,
      left,
    })
  }

  #end(leader: number, graceMs: number): ProcessEnding {
    return new ProcessEnding({ marks: { leader, variables: this.#variables }, graceMs })
  }

  get #variables(): readonly string[] {
    return [`INTERLOCK_KEEPER=${this.#keeperId}`, `INTERLOCK_START=${this.#start.key}`]
  }

  #limitOf({ memoryMb }: JobStart): MemoryLimit | null {
    if (memoryMb === undefined || memoryMb === null) return null
    return this.#memory?.of(memoryMb, { variables: this.#variables }) ?? null
  }

  #fail(error: unknown): void {
    if (this.#isOver || this.#child?.pid !== undefined) return
    const startError = error instanceof Error ? error.message : String(error)
    this.#over(exitWithoutProcess(this.#start.key, { startError }))
  }

  #over(exit: JobExit): void {
    this.#isOver = true
    this.#send({ type: 'exited', ...exit, stopCause: this.#stopCause })
    for (const { stream } of this.#pipes) stream.destroy()
    void this.#limit?.end()
    this.#settle()
  }
}

function closed(stream: Readable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.closed || stream.destroyed) resolve()
    else stream.once('close', () => resolve())
  })
}

// When memory runs out, the kernel takes the job, not the keeper or the database beside it.
function preferToBeKilled(pid: number): void {
  if (process.platform !== 'linux') return
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, '500')
  } catch {
    // It has ended already, or this kernel does not let us: then the kernel chooses as it likes.
  }
}
