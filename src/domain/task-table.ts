/**
 * What an agent runs, by the task's name: chosen by the agent's owner, never by the job. Either a command (an argument
 * list; no shell reads it) or a TypeScript or JavaScript module that exports a task (see task-definition.ts).
 */
export interface TaskEntry {
  readonly command?: readonly string[] | null
  /** Absolute, or relative to `cwd`. */
  readonly module?: string | null
  /** `stdin`: its input stays open, a line of JSON each: first the job, then the answers to its questions. */
  readonly answers?: 'stdin' | null
  /** The longest that it runs; a job's own timeout holds too if it is shorter. */
  readonly timeoutSeconds?: number | null
  /** The most memory that a job's processes may use together; null: no limit. */
  readonly memoryMb?: number | null
  /** Progress is what of the payload's `duration` has passed, in its `steps`, until the job says otherwise itself. */
  readonly elapsedProgress?: boolean
  /** Laid over what every job of the agent inherits. */
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string | null
}

export type TaskTable = Readonly<Record<string, TaskEntry>>

/** The entry of a task, or null; a task named `constructor` is no task. */
export function findTask(tasks: TaskTable, name: string): TaskEntry | null {
  return Object.hasOwn(tasks, name) ? (tasks[name] ?? null) : null
}
