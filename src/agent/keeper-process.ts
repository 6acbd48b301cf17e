import { Socket } from 'node:net'
import {
  exitWithoutProcess,
  type KeeperCommand,
  type KeeperEvent,
  type KeeperSettings,
  type StopCause,
} from './keeper-messages.ts'
import { KeptJob } from './kept-job.ts'
import { readFrames, toFrame } from './line-frames.ts'
import { MemoryLimits } from './memory-limits.ts'
import { monotonicMs } from './monotonic-clock.ts'

/**
 * The keeper: a small process beside each agent that starts its jobs, and ends them when nobody may run them any more.
 *
 *   the agent's end of the socket closes (kill -9)      every job is ended, then the keeper ends
 *   the lease is nearly over and was not extended       every job is ended; the agent, if it wakes, is told
 *   the agent asks                                      that job is ended
 *
 * Ended means: SIGTERM, after a grace SIGKILL, and looked for until no process of it is left. Without the keeper a dead
 * agent's child would go on editing the user's files while the job runs elsewhere.
 *
 * The lease's end comes as a moment, not as a duration: a message that lay in the socket while everything was frozen
 * extends nothing. Every awakening looks at the clock before it does anything else.
 */
const settings = JSON.parse(process.argv[2] ?? '{}') as KeeperSettings
const jobs = new Map<string, KeptJob>()
// Not stdout: Node writes to it synchronously, and a frozen agent would freeze its keeper.
const agent = new Socket({ fd: 3, readable: true, writable: true })
const bufferedBytesMax = 1024 * 1024
const graceMs = settings.killBudgetMs / 2
const pollMs = Math.min(250, settings.killBudgetMs / 4)
const memory = settings.limitsMemory ? MemoryLimits.open() : null
let leaseUntilMs = Number.NEGATIVE_INFINITY
let isLeaving = false

function send(event: KeeperEvent): void {
  if (!agent.writable) return
  agent.write(toFrame(event))
  if (agent.writableLength > bufferedBytesMax) for (const job of jobs.values()) job.isThrottled = true
}

function endAll(cause: StopCause): void {
  for (const job of jobs.values()) job.stop(cause, graceMs)
}

function isLeaseOver(): boolean {
  return monotonicMs() >= leaseUntilMs - settings.killBudgetMs
}

function obey(command: KeeperCommand): void {
  if (command.type === 'lease') leaseUntilMs = Math.max(leaseUntilMs, command.untilMs)
  else if (command.type === 'start') start(command)
  else {
    const job = jobs.get(command.key)
    if (job === undefined) return
    if (command.type === 'stop') job.stop('asked', command.graceMs)
    else if (command.type === 'input') job.write(command.text)
    else job.isPaused = command.type === 'pause'
  }
}

function start(command: Extract<KeeperCommand, { type: 'start' }>): void {
  const { key } = command
  if (isLeaseOver()) {
    send({ type: 'exited', ...exitWithoutProcess(key, { stopCause: 'lease_lost' }) })
    return
  }
  const job = new KeptJob(command, { id: settings.id, send, memory })
  jobs.set(key, job)
  job.isThrottled = agent.writableLength > bufferedBytesMax
  void job.done.then(() => jobs.delete(key))
}

async function leave(cause: StopCause): Promise<void> {
  if (isLeaving) return
  isLeaving = true
  endAll(cause)
  await Promise.all([...jobs.values()].map((job) => job.done))
  process.exit(0)
}

function watch(): void {
  if (isLeaseOver()) endAll('lease_lost')
  for (const job of jobs.values()) job.checkMemory()
}

// A terminal's Ctrl-C, a shutdown's SIGTERM: the agent drains first and closes the socket when it is done.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1'] as const) process.on(signal, () => undefined)
process.on('uncaughtException', (error) => {
  process.stderr.write(`${error.stack ?? error.message}\n`)
  void leave('keeper_lost')
})
agent.on('error', () => undefined)
agent.on('close', () => void leave('agent_gone'))
agent.on('end', () => void leave('agent_gone'))
agent.on('drain', () => {
  for (const job of jobs.values()) job.isThrottled = false
})
readFrames(agent, (frame) => {
  watch()
  if (!isLeaving) obey(frame as KeeperCommand)
})
setInterval(watch, pollMs)
send({ type: 'ready', pid: process.pid, memoryLimiting: memory?.limiting ?? null })
