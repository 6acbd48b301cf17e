/** What the doors answer about locks: JSON, snake_case, ISO 8601 times. */

/** A slot of a resource that somebody holds, or that is reserved for one that waits. */
export interface LockView {
  readonly resource: string
  readonly slot: number
  readonly state: 'held' | 'reserved'
  /** A job that runs, or a manual lock. */
  readonly kind: 'job' | 'lock'
  readonly job_id: string | null
  /** Whose job it is, or whose lock. */
  readonly owner: string | null
  readonly task: string
  readonly agent_id: string | null
  readonly since: string | null
  readonly lease_until: string | null
  readonly fence: number | null
  /** Null: unlimited by now. */
  readonly capacity: number | null
  readonly cancel_requested_at: string | null
}

/** What the owner of a manual lock is told when it asks. */
export interface LockStateView {
  readonly lock_id: string
  readonly state: 'waiting' | 'held' | 'ended'
  readonly token: number | null
  readonly fences: Readonly<Record<string, number>> | null
  readonly lease_until: string | null
  /** Why it has ended. */
  readonly reason: string | null
}

/** A lock that is held: what names it in every later call, and what to hand to the systems behind the resources. */
export interface HeldLockView {
  readonly lock_id: string
  readonly token: number
  readonly fences: Readonly<Record<string, number>>
  readonly lease_until: string
}

/** What became of a holder when its resource, or its lock, was released. */
export interface ReleasedView {
  readonly job_id: string
  readonly kind: 'job' | 'lock'
  /** `cancelling`: a job, which holds until its process is gone. `withdrawn`: a lock that waited. */
  readonly status: 'released' | 'withdrawn' | 'cancelling' | 'cancelled'
}

/** One that has held for longer than a sweep allows. */
export interface SweptView {
  readonly job_id: string
  readonly kind: 'job' | 'lock'
  readonly resources: readonly string[]
  readonly owner: string | null
  readonly agent_id: string | null
  readonly held_seconds: number
  /** Locks: `released`, `held` (on a dry run), `ended` (by itself meanwhile). Jobs are only told of: `running`. */
  readonly status: 'released' | 'held' | 'ended' | 'running'
}
