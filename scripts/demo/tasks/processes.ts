import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A process by pid and start time: a pid alone is used again. */
export interface ProcessName {
  readonly pid: number
  /** Null where there is no /proc. */
  readonly startTicks: string | null
}

/** The processes of one attempt at a job. */
export interface AttemptProcesses {
  readonly attempt: number
  readonly token: number
  readonly processes: readonly ProcessName[]
}

const folderOf = (workspace: string) => join(workspace, 'processes')

/** Notes down who works on this attempt, for others to look whether they are gone. */
export function rememberProcesses(
  workspace: string,
  { job_id: jobId, attempt, token }: { readonly job_id: string; readonly attempt: number; readonly token: number },
  pids: readonly number[],
): void {
  mkdirSync(folderOf(workspace), { recursive: true })
  const noted: AttemptProcesses = { attempt, token, processes: pids.map(nameProcess) }
  const file = join(folderOf(workspace), `${jobId}.${token}.json`)
  // Written aside first: whoever finds it finds all of it.
  writeFileSync(`${file}.part`, JSON.stringify(noted))
  renameSync(`${file}.part`, file)
}

/** Who has worked on this job, an entry for each attempt, oldest first. */
export function recallProcesses(workspace: string, jobId: string): readonly AttemptProcesses[] {
  try {
    return readdirSync(folderOf(workspace))
      .filter((name) => name.startsWith(`${jobId}.`) && name.endsWith('.json'))
      .map((name) => JSON.parse(readFileSync(join(folderOf(workspace), name), 'utf8')) as AttemptProcesses)
      .sort((a, b) => a.token - b.token)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** Whether this very process still lives. One that has ended and was not yet waited for (a zombie) does not. */
export function isAlive({ pid, startTicks }: ProcessName): boolean {
  if (startTicks !== null) return readState(pid)?.startTicks === startTicks
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function nameProcess(pid: number): ProcessName {
  return { pid, startTicks: readState(pid)?.startTicks ?? null }
}

// The name of the program, in parentheses, may hold anything; the fields after it are plain.
function readState(pid: number): { readonly startTicks: string } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const [state] = fields
    const startTicks = fields[19]
    return startTicks === undefined || state === 'Z' || state === 'X' ? null : { startTicks }
  } catch {
    return null
  }
}
