import { Command, Option } from 'commander'
import { isFinished } from '../../domain/job.ts'
import type { JobView } from '../../domain/job-view.ts'
import type { Backend } from '../backend.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import { paintStatus } from '../job-words.ts'
import { patiently } from '../patience.ts'
import { type Call, type Runtime, runsWithBackend, withExamples } from '../runtime.ts'
import { showDuration } from '../times.ts'
import { wholeNumber } from './serve.ts'

interface WaitOptions {
  readonly timeout?: number
}

/** One call waits at most so long; then it is asked again, so that no proxy between cuts a wait of hours. */
const waitAtOnceSeconds = 25

export function createWaitCommand(runtime: Runtime): Command {
  const command = new Command('wait')
    .description('wait until a job ends; exit code 0 when it completed, 1 when it did not')
    .argument('<id>')
    .addOption(timeoutOption())
  withExamples(command, ['interlock job wait d1024 && echo done', 'interlock job wait d1024 --timeout 60 --json'])
  return runsWithBackend<WaitOptions>(command, runtime, (call, backend) => waitAndShow(call.argument(0), call, backend))
}

export function timeoutOption(): Option {
  return new Option('--timeout <seconds>', 'give up waiting after this; the job goes on').argParser(
    wholeNumber({ least: 1, most: 2_592_000 }),
  )
}

/** Waits for the end of a job, shows it, and says by the exit code how it ended. */
export async function waitAndShow(id: string, call: Call<WaitOptions>, backend: Backend): Promise<ExitCode> {
  const job = await waitForEnd(id, call.options.timeout ?? null, call, backend)
  if (!isFinished(job.status)) {
    call.terminal.note(`${id} is ${job.status} still, after ${call.options.timeout} s`)
    return exitCodes.failed
  }
  call.show(job, () => `${id} ${paintStatus(job.status, call.terminal)}${endOf(job)}`)
  return job.status === 'completed' ? exitCodes.ok : exitCodes.failed
}

async function waitForEnd(id: string, timeoutSeconds: number | null, call: Call, backend: Backend): Promise<JobView> {
  // The first question tells whether there is such a job, and anybody to answer.
  await backend.getJob(id)
  const deadline = timeoutSeconds === null ? Number.POSITIVE_INFINITY : Date.now() + timeoutSeconds * 1000
  for (;;) {
    call.signal.throwIfAborted()
    const left = Math.max(0, (deadline - Date.now()) / 1000)
    const job = await patiently(call, () => backend.waitForJob(id, Math.min(left, waitAtOnceSeconds)))
    if (isFinished(job.status) || Date.now() >= deadline) return job
  }
}

function endOf(job: JobView): string {
  const took =
    job.started_at === null || job.finished_at === null
      ? ''
      : ` after ${showDuration((new Date(job.finished_at).getTime() - new Date(job.started_at).getTime()) / 1000)}`
  const message = job.error?.message ?? job.reason
  if (job.status === 'completed') return job.result == null ? took : `${took}\n${JSON.stringify(job.result, null, 2)}`
  return message == null ? took : `${took}: ${String(message)}`
}
