import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../observability/logger.ts'
import type { Queryable } from '../store/queryable.ts'
import { ensurePartitions, type Pruned, pruneHistory, type Retention } from '../store/upkeep.ts'

export const defaultRetention: Retention = { logDays: 7, historyDays: 365, outputDays: 7, onceKeyDays: 7 }

/** Of each kind a transaction: some 50 ms of deleting, so that no snapshot of ours grows old. */
const rowsAtOnce = 10_000
/** Twenty million rows of a kind in one run; what is left goes with the next one. */
const roundsAtMost = 2000
/** Who reads a partition when it is to go: tried again so often, then by the next run. */
const heldUpAtMost = 5
const heldUpPauseMs = 1000

/** Lets the past go and makes room for the days to come: what the crontab sets off. */
export class Pruner {
  readonly #database: Queryable
  readonly #retention: Retention
  readonly #logger: Logger

  constructor(database: Queryable, retention: Retention, logger: Logger) {
    this.#database = database
    this.#retention = retention
    this.#logger = logger
  }

  async ensurePartitions(): Promise<void> {
    for (const table of ['job_queue_log', 'task_history', 'audit_log'] as const) {
      const made = await ensurePartitions(this.#database, table)
      if (made > 0) this.#logger.debug({ table, made }, 'partitions made')
    }
  }

  /** Until nothing is left that should go. Resolves with how many of each kind went. Aborted, it stops between two calls. */
  async prune(signal?: AbortSignal): Promise<Pruned> {
    let total: Pruned = nothing
    let heldUp = 0
    for (let round = 0; round < roundsAtMost && signal?.aborted !== true; round++) {
      const pruned = await pruneHistory(this.#database, this.#retention, rowsAtOnce)
      total = sum(total, pruned)
      if (isMore(pruned)) continue
      if (!pruned.is_held_up || ++heldUp > heldUpAtMost) break
      await sleep(heldUpPauseMs, undefined, { signal }).catch(() => undefined)
    }
    if (total.is_held_up) this.#logger.warn(total, 'old partitions are being read, and go with a later run')
    else this.#logger.debug(total, 'history pruned')
    return total
  }
}

const nothing: Pruned = {
  partitions: 0,
  results: 0,
  outputs: 0,
  keys: 0,
  messages: 0,
  dependencies: 0,
  executions: 0,
  dead_letters: 0,
  agents: 0,
  is_held_up: false,
}

function isMore({ is_held_up: _, ...counts }: Pruned): boolean {
  return Object.values(counts).some((count) => count > 0)
}

function sum(before: Pruned, now: Pruned): Pruned {
  return {
    partitions: before.partitions + now.partitions,
    results: before.results + now.results,
    outputs: before.outputs + now.outputs,
    keys: before.keys + now.keys,
    messages: before.messages + now.messages,
    dependencies: before.dependencies + now.dependencies,
    executions: before.executions + now.executions,
    dead_letters: before.dead_letters + now.dead_letters,
    agents: before.agents + now.agents,
    is_held_up: now.is_held_up,
  }
}
