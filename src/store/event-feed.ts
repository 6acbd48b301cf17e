import type { Queryable } from './queryable.ts'

/** A line of job_queue_log with whose job it is about, for a person who watches. */
export interface FeedEvent {
  readonly id: number
  readonly created_at: Date
  readonly event_type: string
  readonly job_id: string | null
  readonly task: string | null
  readonly user_name: string | null
  readonly to_status: string | null
  readonly agent_id: string | null
  readonly actor: string | null
  readonly conflict_reason: string | null
  readonly details: Readonly<Record<string, unknown>> | null
}

/** How far back a look reaches for what was numbered early and committed late. */
const overlap = 200

/**
 * Reads the log as it grows, each event once. Numbers are drawn before the commit, so the highest one seen says nothing
 * of the ones below it: each look goes back a little and leaves out what it has shown.
 */
export class EventFeed {
  readonly #queryable: Queryable
  #highest = 0
  #shown = new Set<number>()

  private constructor(queryable: Queryable, highest: number) {
    this.#queryable = queryable
    this.#highest = highest
  }

  /** From now on: what is in the log already is not shown. */
  static async open(queryable: Queryable): Promise<EventFeed> {
    const [row] = await queryable.query<{ highest: number }>(
      'select coalesce(max(e.id), 0) as highest from interlock.job_queue_log as e',
    )
    const feed = new EventFeed(queryable, row?.highest ?? 0)
    for (const { id } of await feed.#read(overlap)) feed.#shown.add(id)
    return feed
  }

  /** What is new, oldest first; at most `limit`, and the rest at the next call. */
  async next(limit: number): Promise<readonly FeedEvent[]> {
    const fresh = (await this.#read(limit + overlap)).filter(({ id }) => !this.#shown.has(id)).slice(0, limit)
    for (const { id } of fresh) {
      this.#shown.add(id)
      this.#highest = Math.max(this.#highest, id)
    }
    this.#shown = new Set([...this.#shown].filter((id) => id > this.#highest - overlap))
    return fresh
  }

  #read(limit: number): Promise<FeedEvent[]> {
    return this.#queryable.query<FeedEvent>(
      `select e.id, e.created_at, e.event_type, e.job_id, coalesce(j.task, h.task) as task,
         coalesce(j.user_name, h.user_name) as user_name, e.to_status, e.agent_id, e.actor, e.conflict_reason, e.details
       from (
         select l.id, l.created_at, l.event_type, l.job_id, l.to_status, l.agent_id, l.actor, l.conflict_reason, l.details
         from interlock.job_queue_log as l
         where l.id > $1
         order by l.id
         limit $2
       ) as e
       left join interlock.jobs as j on j.id = e.job_id
       left join lateral (
         select t.task, t.user_name
         from interlock.task_history as t
         where j.id is null and t.job_id = e.job_id
         limit 1
       ) as h on true
       order by e.id`,
      [this.#highest - overlap, limit],
    )
  }
}
