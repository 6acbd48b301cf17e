import type { Queryable } from '../../src/store/queryable.ts'
import type { LogEvent } from '../demo/history.ts'

/** An event and when its transaction was committed: `atMs` is when its verb began. Both since 1970. */
export interface TimedEvent extends LogEvent {
  readonly committedMs: number
}

/** What does not change about a job, live or over. */
export interface JobFacts {
  readonly jobId: string
  readonly queue: string
  /** Jobs of one lane need the same, and start in order. */
  readonly lane: string
  readonly user: string | null
  readonly resources: readonly string[]
  readonly seniorityMs: number
  readonly queuedAtMs: number
}

export interface QueueFacts {
  readonly name: string
  readonly scheduling: string
  readonly patienceSeconds: number
}

// A commit is stamped a moment before others can see it; of a server that was killed the stamps are in its WAL.
const withoutStampMs = 1000

/** The whole log, in the order of its numbers. The server has to keep the times of commits. */
export async function readLog(database: Queryable): Promise<readonly TimedEvent[]> {
  return database.query<TimedEvent & object>(
    `select l.id, e.at_ms as "atMs", l.event_type as "type", l.job_id as "jobId", l.from_status as "from", l.to_status as "to",
       l.token, l.agent_id as "agentId", l.conflict_reason as "reason", l.resources, l.details,
       coalesce((extract(epoch from pg_xact_commit_timestamp(l.xmin)) * 1000)::double precision, e.at_ms + $1) as "committedMs"
     from interlock.job_queue_log as l
     cross join lateral (select (extract(epoch from l.created_at) * 1000)::double precision as at_ms) as e
     order by l.id`,
    [withoutStampMs],
  )
}

/** Of every job that was ever pending. */
export async function readJobs(database: Queryable): Promise<readonly JobFacts[]> {
  return database.query<JobFacts & object>(
    `select a.job_id as "jobId", a.queue, concat_ws(' ', a.queue, a.task, a.resources::text) as lane, a.user_name as "user", a.resources,
       (extract(epoch from a.queued_at) * 1000)::double precision as "queuedAtMs",
       (extract(epoch from a.queued_at) * 1000 + a.priority * q.priority_step_seconds * 1000)::double precision as "seniorityMs"
     from (
       select j.id as job_id, j.queue, j.task, j.user_name, j.resources, j.queued_at, j.priority from interlock.jobs as j
       union
       select h.job_id, h.queue, h.task, h.user_name, h.resources, h.queued_at, h.priority from interlock.task_history as h
     ) as a
     join interlock.queues as q on q.name = a.queue
     where a.queued_at is not null`,
  )
}

export async function readQueues(database: Queryable): Promise<readonly QueueFacts[]> {
  return database.query<QueueFacts & object>(
    `select q.name, q.scheduling, q.patience_seconds as "patienceSeconds" from interlock.queues as q`,
  )
}
