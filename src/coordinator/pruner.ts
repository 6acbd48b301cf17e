import type { Logger } from '../observability/logger.ts'
import type { Queryable } from '../store/queryable.ts'
import { ensurePartitions, pruneDependencies, pruneHistory, pruneWorkflowExecutions } from '../store/upkeep.ts'

export interface Retention {
  /** Days that the log and the output of ended jobs are kept; 0 for ever. */
  readonly logDays: number
  /** Days that task_history is kept; 0 for ever. */
  readonly historyDays: number
}

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
    for (const table of ['job_queue_log', 'task_history'] as const) {
      const made = await ensurePartitions(this.#database, table)
      if (made > 0) this.#logger.debug({ table, made }, 'partitions made')
    }
  }

  async prune(): Promise<void> {
    const pruned = await pruneHistory(this.#database, this.#retention.logDays, this.#retention.historyDays)
    const dependencies = await pruneDependencies(this.#database, this.#retention.logDays)
    const executions = await pruneWorkflowExecutions(this.#database, this.#retention.historyDays)
    this.#logger.debug({ ...pruned, dependencies, executions }, 'history pruned')
  }
}
