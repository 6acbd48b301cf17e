import type { Database } from '../../src/store/database.ts'
import { checkAuditor } from './checks/auditor.ts'
import type { Finding } from './checks/finding.ts'
import { checkLog } from './checks/log.ts'
import { checkLoss, type JobPlace } from './checks/loss.ts'
import { checkOrder } from './checks/order.ts'
import { checkOverlaps, checkWaking, readOverlap } from './checks/overlaps.ts'
import { checkServerLog } from './checks/server-log.ts'
import type { History, Recorded } from './history.ts'
import { type JobFacts, readJobs, readLog, readQueues, type TimedEvent } from './log.ts'
import type { Scenario } from './scenario.ts'
import type { Workspace } from './workspace.ts'

const memoryMiB = 400
/** From the heal on, beside the lease: connections that went mute are found, processes started again. */
const settlingMs = 5000

export interface Evidence {
  readonly scenario: Scenario
  readonly database: Database
  readonly history: History
  readonly workspace: Workspace
  readonly serverLog: string
}

export interface Judgement {
  readonly findings: readonly Finding[]
  /** With its times counted like those of the history. */
  readonly log: readonly TimedEvent[]
  readonly jobs: readonly JobFacts[]
  readonly permittedOverlaps: number
}

/** What the tables, the log, the clients' history, the jobs' own store and the server say together. */
export async function judge({ scenario, database, history, workspace, serverLog }: Evidence): Promise<Judgement> {
  const places = await database.query<JobPlace & object>(`
    select coalesce(j.id, h.job_id) as "jobId", j.status as live, coalesce(h.outcomes, '{}') as outcomes,
      (select count(*)::int from interlock.job_results as r where r.job_id = coalesce(j.id, h.job_id) and r.result is not null) as results
    from interlock.jobs as j
    full join (select t.job_id, array_agg(t.outcome order by t.finished_at) as outcomes from interlock.task_history as t group by t.job_id) as h
      on h.job_id = j.id`)
  const toHistory = (ms: number) => ms - history.epochMs
  const log = (await readLog(database)).map((event) => ({
    ...event,
    atMs: toHistory(event.atMs),
    committedMs: toHistory(event.committedMs),
  }))
  const jobs = (await readJobs(database)).map((job) => ({
    ...job,
    seniorityMs: toHistory(job.seniorityMs),
    queuedAtMs: toHistory(job.queuedAtMs),
  }))
  const healed = history.events.find(({ kind }) => kind === 'healed')
  const overlaps = checkOverlaps(
    workspace.lines('overlaps').map((line) => readOverlap(line, (seconds) => history.atUptime(seconds))),
    log,
    history.events,
  )
  const findings = [
    ...checkLog(log),
    ...checkLoss(history.events, places),
    ...overlaps.findings,
    ...checkWaking(log, history.events),
    ...checkOrder({
      log,
      jobs,
      queues: await readQueues(database),
      unsure: unsureJobs(history.events),
      calmFromMs: healed === undefined ? null : healed.atMs + scenario.leaseSeconds * 1000 + settlingMs,
      roomyUpTo: scenario.shape.slots - 1,
    }),
    ...checkAuditor(history.events),
    ...checkServerLog(serverLog),
    ...history.events.flatMap((event): Finding[] =>
      event.kind === 'late' && event.answer === 'accepted'
        ? [{ invariant: 'D', what: `a late ${event.write} of ${event.jobId} with token ${event.token} was accepted` }]
        : [],
    ),
    ...history.events.flatMap((event): Finding[] =>
      event.kind === 'memory' && event.residentMiB > memoryMiB
        ? [{ invariant: 'B', what: `${event.name} used ${event.residentMiB} MiB` }]
        : [],
    ),
  ]
  return { findings, log, jobs, permittedOverlaps: overlaps.permitted }
}

function unsureJobs(history: readonly Recorded[]): ReadonlySet<string> {
  const sent = new Set<string>()
  const unsure = new Set<string>()
  for (const event of history) {
    if (event.kind !== 'asked') continue
    if (event.what === 'cancel' || sent.has(event.jobId)) unsure.add(event.jobId)
    sent.add(event.jobId)
  }
  return unsure
}
