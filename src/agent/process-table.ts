import { readdirSync, readFileSync } from 'node:fs'

/** A process as /proc shows it. Pid and start time together name it for ever; a pid alone is used again. */
export interface ProcessRow {
  readonly pid: number
  readonly parentPid: number
  readonly groupId: number
  readonly sessionId: number
  readonly startTicks: number
}

/** What makes a process part of a job: the group and session of its leader, or all of these in its environment. */
export interface ProcessMarks {
  readonly leader: number | null
  readonly variables: readonly string[]
}

/** All living processes of the machine at one instant; zombies are left out, they do nothing any more. */
export class ProcessTable {
  readonly takenAtMs = performance.now()
  readonly #rows = new Map<number, ProcessRow>()
  readonly #environments = new Map<number, string>()

  /** Null where there is no /proc: there only the process group is known. */
  static read(): ProcessTable | null {
    if (process.platform !== 'linux') return null
    const table = new ProcessTable()
    for (const name of readdirSync('/proc')) {
      const row = /^\d+$/.test(name) ? readRow(name) : null
      if (row !== null) table.#rows.set(row.pid, row)
    }
    return table
  }

  /**
   * Who belongs to a job: its group; its session, since a shell with job control gives each pipeline a group of its
   * own; whoever carries its variables, since a daemon leaves the session but keeps the environment; and every child
   * of these and of those already known. A process that left the session, cleared its environment and lost its parent is found by nobody but a
   * cgroup.
   */
  members(marks: ProcessMarks, known: readonly ProcessRow[] = []): readonly ProcessRow[] {
    const members = new Map<number, ProcessRow>(known.map((row) => [row.pid, row]))
    for (const row of this.#rows.values()) {
      if (row.pid !== process.pid && this.#carries(row, marks)) members.set(row.pid, row)
    }
    for (let before = -1; before !== members.size; ) {
      before = members.size
      for (const row of this.#rows.values()) if (members.has(row.parentPid)) members.set(row.pid, row)
    }
    return [...members.values()]
  }

  get #ownStartTicks(): number {
    return this.#rows.get(process.pid)?.startTicks ?? 0
  }

  has(row: ProcessRow): boolean {
    return this.#rows.get(row.pid)?.startTicks === row.startTicks
  }

  #carries(row: ProcessRow, { leader, variables }: ProcessMarks): boolean {
    if (leader !== null && (row.groupId === leader || row.sessionId === leader)) return true
    // Who is older than this process was not started by it or for it, and need not be asked.
    if (variables.length === 0 || row.startTicks < this.#ownStartTicks) return false
    const environment = this.#environmentOf(row.pid)
    return variables.every((variable) => environment.includes(`\0${variable}\0`))
  }

  #environmentOf(pid: number): string {
    const known = this.#environments.get(pid)
    if (known !== undefined) return known
    const environment = `\0${readOrEmpty(`/proc/${pid}/environ`)}\0`
    this.#environments.set(pid, environment)
    return environment
  }
}

const snapshotAgeMsMax = 15
let latest: ProcessTable | null = null

/**
 * A table read after the given moment. Many jobs that end together share one: reading it costs about 1 ms a hundred
 * processes, and a thousand jobs that are killed at once must not read it a thousand times.
 */
export function processTable(options: { readonly notBeforeMs: number }): ProcessTable | null {
  const now = performance.now()
  if (latest !== null && latest.takenAtMs >= options.notBeforeMs && now - latest.takenAtMs < snapshotAgeMsMax) {
    return latest
  }
  latest = ProcessTable.read()
  return latest
}

// Fields after the last parenthesis: the name before it may hold anything, spaces and parentheses too.
function readRow(name: string): ProcessRow | null {
  const text = readOrEmpty(`/proc/${name}/stat`)
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state, parentPid, groupId, sessionId] = fields
  const startTicks = fields[19]
  if (startTicks === undefined || state === 'Z' || state === 'X') return null
  return {
    pid: Number(name),
    parentPid: Number(parentPid),
    groupId: Number(groupId),
    sessionId: Number(sessionId),
    startTicks: Number(startTicks),
  }
}

// A process may end between any two reads, and another user's is not ours to read. As utf8 Node reads a small file in
// one go, three times faster than as latin1; what is no UTF-8 in it is none of what we look for.
function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
