// The verbs of whoever enqueues jobs, and of the tick: into the inbox, never further.

import { byResourceOrder } from '../property/demand.ts'
import { isLock, type Model, type ModelJob } from './model.ts'
import { disagree, expectRefusal, expectRows, type Situation, theRow, type VerbCall } from './rule.ts'

/** What a caller asks for; absent: left out. */
export interface NewJob {
  readonly id?: string
  readonly task: string
  readonly queue: string
  readonly user?: string
  readonly resources: readonly string[]
  readonly priority: number
  readonly level: string
  readonly maxAttempts: number
  readonly ttlSeconds: number
  readonly delaySeconds?: number
  readonly start?: false
  /** Something wrong, and the SQLSTATE that it is refused with. */
  readonly wrong?: { readonly field: string; readonly value: unknown; readonly state: string }
}

export const retryDelays = [3]
const timeoutSeconds = 3600
// The policy of the queues in the runs; a dead letter's new life has it, whatever the job had before.
const queueTtlSeconds = 7200

function resourcesOf({ user, resources }: NewJob): string[] {
  return [...new Set([...(user === undefined ? [] : [`user:${user}`]), ...resources])].toSorted(byResourceOrder)
}

export function wireOf(job: NewJob): Record<string, unknown> {
  return {
    ...(job.id === undefined ? {} : { id: job.id }),
    task: job.task,
    queue: job.queue,
    ...(job.user === undefined ? {} : { user: job.user }),
    resources: job.resources,
    priority: job.priority,
    permission_level: job.level,
    max_attempts: job.maxAttempts,
    ttl_seconds: job.ttlSeconds,
    retry_delays_seconds: retryDelays,
    ...(job.delaySeconds === undefined ? {} : { delay_seconds: job.delaySeconds }),
    ...(job.start === undefined ? {} : { start: job.start }),
    ...(job.wrong === undefined ? {} : { [job.wrong.field]: job.wrong.value }),
  }
}

export function showJob(job: NewJob): string {
  const delay = job.delaySeconds === undefined ? '' : ` in ${job.delaySeconds} s`
  const wrong = job.wrong === undefined ? '' : ` wrong ${job.wrong.field}`
  const ttl = job.ttlSeconds === 0 ? '' : ` ttl ${job.ttlSeconds}`
  return `${job.id ?? '-'} ${job.queue}/${job.level} ${job.task} p${job.priority} [${resourcesOf(job).join(' ')}]${delay}${job.start === false ? ' paused' : ''}${ttl}${wrong}`
}

export function enqueueJobs(jobs: readonly NewJob[]): VerbCall {
  return {
    verb: 'enqueue_jobs',
    parameters: '$1::jsonb',
    values: [JSON.stringify(jobs.map(wireOf))],
    shown: jobs.map(showJob).join('; '),
    rule: (situation) => {
      const { model, at, answer } = situation
      const wrong = jobs.find((job) => job.wrong !== undefined)?.wrong
      const ids = jobs.flatMap(({ id }) => (id === undefined ? [] : [id]))
      const isTaken = ids.some((id, n) => model.jobs.has(id) || model.ended.has(id) || ids.indexOf(id) !== n)
      if (wrong !== undefined || isTaken) {
        expectRefusal(situation, wrong?.state ?? 'IL006')
        return
      }
      const added = jobs.map((job, n) => ({ ...newJob(job, at), id: job.id ?? String(answer.rows[n]?.job_id) }))
      expectRows(
        situation,
        added.map(({ id, status }, n) => ({ ordinal: n + 1, job_id: id, status })),
      )
      for (const job of added) {
        if (model.jobs.has(job.id) || model.ended.has(job.id)) disagree(`the id ${job.id} was given twice`)
        model.jobs.set(job.id, job)
      }
    },
  }
}

export function newJob(job: NewJob, at: number): Omit<ModelJob, 'id'> {
  const runAt = job.delaySeconds === undefined ? null : at + job.delaySeconds
  const status = job.start === false ? 'paused' : runAt !== null && runAt > at ? 'scheduled' : 'pending'
  return {
    status,
    task: job.task,
    queue: job.queue,
    user: job.user ?? null,
    level: job.level,
    resources: resourcesOf(job),
    priority: job.priority,
    token: null,
    agent: null,
    held: null,
    attempt: 0,
    maxAttempts: job.maxAttempts,
    askedToStopAt: null,
    progress: null,
    runAt: status === 'scheduled' || status === 'paused' ? runAt : null,
    expiresAt: job.ttlSeconds > 0 ? Math.max(at, runAt ?? at) + job.ttlSeconds : null,
    startedAt: null,
    timeoutSeconds,
    retryDelays,
    assignedAt: null,
    leaseUntil: null,
    waitSeconds: null,
  }
}

/** A verb of one job that is alive; others are refused. */
function ofLiveJob(
  verb: string,
  id: string,
  change: (job: ModelJob, situation: Situation) => void,
  more: { readonly parameters?: string; readonly values?: readonly unknown[]; readonly shown?: string } = {},
): VerbCall {
  return {
    verb,
    parameters: more.parameters ?? '$1',
    values: [id, ...(more.values ?? [])],
    shown: `${id}${more.shown ?? ''}`,
    rule: (situation) => {
      const { model } = situation
      const job = model.jobs.get(id)
      if (job === undefined) expectRefusal(situation, model.ended.has(id) ? 'IL003' : 'IL001')
      else change(job, situation)
    },
  }
}

export function cancelJob(id: string): VerbCall {
  return ofLiveJob('cancel_job', id, (job, situation) => {
    if (job.status === 'failed') {
      expectRefusal(situation, 'IL003')
      return
    }
    expectRows(situation, [{ status: job.held === null ? 'cancelled' : 'cancelling' }])
    if (job.held === null) situation.model.end(id, 'cancelled')
    else if (job.askedToStopAt === null) askToStop(situation, job)
  })
}

/** A manual lock has no process that would confirm it: its lease ends there and then. */
export function askToStop({ model, at }: Pick<Situation, 'model' | 'at'>, { id, leaseUntil }: ModelJob): void {
  model.change(id, { askedToStopAt: at, leaseUntil: leaseUntil === null ? null : at })
}

export function deleteJob(id: string): VerbCall {
  return ofLiveJob('delete_job', id, (job, situation) => {
    if (job.held !== null) {
      expectRefusal(situation, 'IL003')
      return
    }
    expectRows(situation, [{ status: 'deleted' }])
    situation.model.end(id, 'deleted')
  })
}

export function requeueJob(id: string): VerbCall {
  return ofLiveJob('requeue_job', id, (job, situation) => {
    if (job.status !== 'failed' && job.status !== 'scheduled') {
      expectRefusal(situation, 'IL003')
      return
    }
    expectRows(situation, [{ status: 'pending' }])
    revive(situation, job)
  })
}

/** A dead letter begins anew. */
export function revive({ model, at }: Pick<Situation, 'model' | 'at'>, job: ModelJob): void {
  if (job.status === 'failed')
    model.change(job.id, { attempt: 0, expiresAt: isLock(job) ? null : at + queueTtlSeconds })
  model.move(job.id, 'pending')
}

export function startPausedJob(id: string): VerbCall {
  return ofLiveJob('start_paused_job', id, (job, situation) => {
    // What waits for an approval is started by that, and by nothing else.
    if (job.status !== 'paused' || job.level === 'human_required') {
      expectRefusal(situation, 'IL003')
      return
    }
    const status = job.runAt !== null && job.runAt > situation.at ? 'scheduled' : 'pending'
    expectRows(situation, [{ status }])
    situation.model.move(id, status)
  })
}

export function approveJob(id: string): VerbCall {
  return ofLiveJob('approve_job', id, (job, situation) => {
    if (job.status !== 'paused' || job.level !== 'human_required') {
      expectRefusal(situation, 'IL003')
      return
    }
    expectRows(situation, [{ status: 'pending' }])
    situation.model.move(id, 'pending')
  })
}

export function rejectJob(id: string): VerbCall {
  return ofLiveJob('reject_job', id, (job, situation) => {
    if (job.status !== 'paused' || job.level !== 'human_required') {
      expectRefusal(situation, 'IL003')
      return
    }
    expectRows(situation, [{ status: 'cancelled' }])
    situation.model.end(id, 'cancelled')
  })
}

/** Cancels all jobs of a user that nobody has locked: which those were is seen once it is committed. */
export function cancelAllOf(user: string): VerbCall {
  return {
    verb: 'change_jobs',
    parameters: `'cancel', $1::jsonb`,
    values: [JSON.stringify({ user })],
    shown: `cancel, ${user}`,
    rule: (situation) => {
      const { model, at, observed } = situation
      const { changed, asked } = theRow(situation)
      if (observed === null) return
      const before = [...model.jobs.values()].filter(
        (job) => job.user === user && !isLock(job) && job.status !== 'failed' && job.askedToStopAt === null,
      )
      const ended = before.filter(({ id, held }) => held === null && observed.ended[id]?.includes('cancelled') === true)
      // One that was asked may have ended since, by who holds it.
      const stopping = before.filter(
        ({ id, held }) => held !== null && observed.jobs.find((job) => job.id === id)?.askedToStopAt !== null,
      )
      if (ended.length < Number(changed)) disagree(`${changed} were cancelled, ${ended.length} are in the history`)
      for (const { id } of ended) model.end(id, 'cancelled')
      for (const job of stopping.slice(0, Number(asked))) askToStop({ model, at }, job)
    },
  }
}

/** Of a run that is one job of the execution's name. The model does not know what is a run: the table of pairs does. */
export function cancelExecution(id: string): VerbCall {
  return {
    verb: 'cancel_execution',
    parameters: '$1',
    values: [id],
    shown: id,
    rule: (situation) => {
      const { model, answer } = situation
      if (answer.state === 'IL001') return
      const job = model.jobs.get(id)
      if (job === undefined || job.status === 'failed') {
        expectRefusal(situation, 'IL003')
        return
      }
      expectRows(situation, [{ status: job.held === null ? 'cancelled' : 'cancelling' }])
      if (job.held === null) model.end(id, 'cancelled')
      else if (job.askedToStopAt === null) askToStop(situation, job)
    },
  }
}

export function setPriority(id: string, priority: number): VerbCall {
  const isRight = priority >= 0 && priority <= 3
  const call = ofLiveJob(
    'set_priority',
    id,
    (_job, situation) => {
      theRow(situation)
      situation.model.change(id, { priority })
    },
    { parameters: '$1, $2', values: [priority], shown: `, ${priority}` },
  )
  return isRight ? call : { ...call, rule: (situation) => expectRefusal(situation, 'IL005') }
}

/** Which of the jobs whose time has come were taken is the verb's own choice: seen once it is committed. */
export function promoteDueJobs(limit: number): VerbCall {
  return {
    verb: 'promote_due_jobs',
    parameters: '$1',
    values: [limit],
    shown: String(limit),
    rule: (situation) => {
      const { model, at, observed } = situation
      const promoted = Number(theRow(situation).promote_due_jobs)
      const due = [...model.jobs.values()].filter((job) => job.status === 'scheduled' && (job.runAt ?? 0) <= at)
      checkCount(situation, promoted, { of: due.length, limit })
      if (observed === null) return
      const statuses = new Map(observed.jobs.map(({ id, status }) => [id, status]))
      const moved = due.filter(({ id }) => statuses.get(id) !== 'scheduled')
      if (moved.length !== promoted) disagree(`${promoted} were promoted, ${moved.length} are not scheduled any more`)
      for (const { id } of moved) model.move(id, 'pending')
    },
  }
}

export function expireJobs(): VerbCall {
  return {
    verb: 'expire_jobs',
    parameters: '',
    values: [],
    shown: '',
    rule: (situation) => {
      const { model, observed } = situation
      const expired = Number(theRow(situation).expire_jobs)
      const old = expirable(situation.model, situation.at)
      checkCount(situation, expired, { of: old.length, limit: 1000 })
      if (observed === null) return
      const gone = old.filter(({ id }) => observed.ended[id]?.includes('expired') === true)
      if (gone.length !== expired) disagree(`${expired} expired, ${gone.length} are in the history`)
      for (const { id } of gone) model.end(id, 'expired')
    },
  }
}

function expirable(model: Model, at: number): ModelJob[] {
  return [...model.jobs.values()].filter(
    ({ expiresAt, held, status }) => expiresAt !== null && expiresAt <= at && held === null && status !== 'failed',
  )
}

/** At a commit others have gone on since the call: what became due for it meanwhile it could not take. */
function checkCount(
  { isAlone, isCommit }: Situation,
  count: number,
  { of, limit }: { readonly of: number; readonly limit: number },
): void {
  const most = Math.min(of, limit)
  if (count > most || (isAlone && !isCommit && count < most))
    disagree(`${count} were taken of ${of}, and ${limit} were asked for`)
}
