import type { BacklogLimit, BacklogSettings } from '../domain/backlog-limit.ts'
import type { DeadLetters } from '../domain/dead-letter.ts'
import type { BulkAnswer, BulkChange, JobSelection } from '../domain/job-filter.ts'
import type { PriorityName } from '../domain/priority.ts'
import type { QueueView, ResourceView } from '../domain/queue-view.ts'

/** A change of many jobs: a piece of them a call, going on at the cursor of the answer before. */
export interface BulkRequest {
  readonly dryRun: boolean
  readonly reason: string | null
  readonly priority?: PriorityName | number | undefined
  readonly cursor?: string | undefined
}

export type Settings = Readonly<Record<string, unknown>>

/** What an operator turns: many jobs at once, dead letters, the policy of queues and resources. */
export interface Steering {
  setPriority(id: string, priority: PriorityName | number, reason: string | null): Promise<void>
  changeJobs(change: BulkChange, selection: JobSelection, request: BulkRequest): Promise<BulkAnswer>
  deadLetters(selection: JobSelection, limit: number): Promise<DeadLetters>
  queues(): Promise<readonly QueueView[]>
  changeQueue(name: string, settings: Settings, options?: { readonly mayCreate?: boolean }): Promise<QueueView>
  backlogLimits(): Promise<readonly BacklogLimit[]>
  /** Null: it has no limit any more. */
  changeBacklogLimit(scope: string, settings: BacklogSettings): Promise<BacklogLimit | null>
  resources(): Promise<readonly ResourceView[]>
  /** Null: it has no limit of its own any more. */
  changeResource(pattern: string, settings: Settings): Promise<ResourceView | null>
  removeResource(pattern: string): Promise<boolean>
}

/** Goes on until all jobs were looked at, and adds the answers up. */
export async function changeAll(
  steering: Pick<Steering, 'changeJobs'>,
  change: BulkChange,
  selection: JobSelection,
  request: BulkRequest,
  signal: AbortSignal,
): Promise<BulkAnswer> {
  let sum = await steering.changeJobs(change, selection, request)
  while (sum.next_cursor !== null && !signal.aborted) {
    const answer = await steering.changeJobs(change, selection, { ...request, cursor: sum.next_cursor })
    sum = {
      ...answer,
      changed: sum.changed + answer.changed,
      asked_to_stop: sum.asked_to_stop + answer.asked_to_stop,
      busy: sum.busy + answer.busy,
      examples: [...sum.examples, ...answer.examples].slice(0, 10),
    }
  }
  return sum
}
