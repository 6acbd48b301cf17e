import { resolve } from 'node:path'
import type { Assignment } from '../domain/assignment.ts'
import { assignmentToJson } from '../domain/assignment-json.ts'
import { variablesOfJob } from '../domain/job-environment.ts'
import { jsonLine } from '../domain/job-protocol.ts'
import type { TaskEntry } from '../domain/task-table.ts'
import type { JobStart } from './keeper-messages.ts'
import { ownEntry } from './own-entry.ts'

/** What the keeper is to start for this job; null where the task's entry names nothing to run. */
export function startOf(
  key: string,
  assignment: Assignment,
  task: TaskEntry,
  around: { readonly environment: Readonly<Record<string, string>>; readonly url: string | null },
): JobStart | null {
  const isModule = typeof task.module === 'string'
  const command = isModule
    ? [process.execPath, ownEntry('module-runner'), resolve(task.cwd ?? '.', task.module ?? '')]
    : task.command
  if (command === undefined || command === null || command.length === 0) return null
  const isInputOpen = isModule || task.answers === 'stdin'
  const job = assignmentToJson(assignment)
  return {
    key,
    command,
    cwd: task.cwd ?? null,
    // What names the job comes last: no entry can make it out to be another.
    environment: { ...around.environment, ...task.env, ...variablesOfJob(assignment, around.url) },
    input: isInputOpen ? jsonLine(job) : JSON.stringify(job),
    hasChannel: isModule,
    isInputOpen,
    memoryMb: task.memoryMb ?? null,
  }
}
