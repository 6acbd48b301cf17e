import { readFileSync } from 'node:fs'

/** A process of a job, told apart from a later one of the same number. */
export interface JobProcess {
  readonly pid: number
  readonly startedAt: string
  readonly jobId: string
  readonly token: number
}

/** The children of a process, as the kernel lists them; none when it is gone. */
export function childrenOf(pid: number): readonly number[] {
  return readOrEmpty(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number)
}

/** All that descend from these, and not these themselves. */
export function descendantsOf(pids: readonly number[]): readonly number[] {
  return pids.flatMap((pid) => {
    const children = childrenOf(pid)
    return [...children, ...descendantsOf(children)]
  })
}

/** Those of these processes that belong to a job, by what they were given in their environment. */
export function jobProcesses(pids: readonly number[]): readonly JobProcess[] {
  return pids.flatMap((pid) => {
    const environment = readOrEmpty(`/proc/${pid}/environ`)
    const jobId = /(?:^|\0)INTERLOCK_JOB_ID=([^\0]*)/.exec(environment)?.[1]
    const token = Number(/(?:^|\0)INTERLOCK_TOKEN=([^\0]*)/.exec(environment)?.[1])
    const startedAt = aliveSince(pid)
    return jobId === undefined || startedAt === null ? [] : [{ pid, startedAt, jobId, token }]
  })
}

export function isStillThere({ pid, startedAt }: JobProcess): boolean {
  return aliveSince(pid) === startedAt
}

export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal)
    } catch {
      // Gone already.
    }
  }
}

/** When it began, in the kernel's own count; null when it is gone, or has ended and nobody has asked how. */
function aliveSince(pid: number): string | null {
  const text = readOrEmpty(`/proc/${pid}/stat`)
  const words = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return text === '' || words[0] === 'Z' || words[0] === 'X' ? null : (words[19] ?? null)
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
