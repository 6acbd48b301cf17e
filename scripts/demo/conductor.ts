import { hostname } from 'node:os'
import type { JobRequest } from '../../src/domain/job-request.ts'
import type { Database } from '../../src/store/database.ts'
import { sqlstateOf } from '../../src/store/sqlstate.ts'
import type { LateWrite, Takeover } from './checks/takeover.ts'
import { type Demonstration, demonstrationJobs, type PlannedJob } from './demonstration.ts'
import { SecondAgent } from './second-agent.ts'
import { isAlive, recallProcesses } from './tasks/processes.ts'
import { until } from './until.ts'

/**
 * Conducts the demonstration: enqueues its jobs when what they are to show can be seen, and kills an agent.
 *
 * Each step waits for an observed fact, never for a time: a machine that is busy is slower, and shows the same.
 */
export interface Stage {
  readonly database: Database
  readonly databaseUrl: string
  /** The folder that the jobs work in. */
  readonly workspace: string
  /** Tells a further performance in the same database from the first. */
  readonly suffix?: string
  readonly enqueue: (requests: readonly JobRequest[]) => Promise<void>
  readonly say: (sentence: string) => void
  /** Called with a job that is seen to wait for another; answers whether that could still be seen. */
  readonly onBlocked?: (jobId: string) => Promise<boolean>
  readonly signal: AbortSignal
}

export interface Performance {
  /** All that was enqueued. */
  readonly jobs: readonly PlannedJob[]
  readonly takeover: Takeover
}

const patienceMs = 20_000
const streamEveryMs = 500
const streamMax = 12

/** Plays it, and returns when all is enqueued and the killed agent's job runs elsewhere; jobs may still run then. */
export async function conduct(stage: Stage): Promise<Performance> {
  const jobs = demonstrationJobs(stage.workspace, stage.suffix)
  const enqueued: PlannedJob[] = []
  const enqueue = async (planned: readonly PlannedJob[]) => {
    await stage.enqueue(planned.map(({ request }) => request))
    enqueued.push(...planned)
  }
  const name = `${hostname()
    .replace(/[^A-Za-z0-9._-]/g, '-')
    .slice(0, 50)}-second`
  const second = await SecondAgent.start(stage.databaseUrl, { name, workspace: stage.workspace })
  try {
    await fact(
      stage,
      'the second agent to register',
      `select from interlock.agent_stats where name = $1 and state = 'active'`,
      [name],
    )
    await open(stage, jobs, enqueue)
    const victim = await makeBusy(stage, { jobs, enqueue, name, agentPid: second.pid })
    await enqueue(jobs.models)
    await lookAtModelWait(stage)
    await enqueue(jobs.rest)
    await enqueueBySql(stage, jobs.bySql.request)
    enqueued.push(jobs.bySql)
    const [takeover] = await Promise.all([killAndWatch(stage, second, victim), feed(stage, jobs, enqueue)])
    return { jobs: enqueued, takeover }
  } finally {
    await second.kill()
  }
}

type Enqueue = (planned: readonly PlannedJob[]) => Promise<void>

/** Alice has two tasks, bob and charlie one: three run, and a slot is left in which to see that alice's second waits. */
async function open(stage: Stage, jobs: Demonstration, enqueue: Enqueue): Promise<void> {
  await enqueue(jobs.opening)
  const [, second] = jobs.opening
  if (second === undefined) throw new Error('the demonstration has no opening')
  await fact(
    stage,
    'the second task of alice to be blocked',
    `select from interlock.job_queue_log where job_id = $1 and event_type = 'blocked'`,
    [second.request.id],
  )
  await stage.onBlocked?.(second.request.id)
  await enqueue([jobs.firstImage])
  await started(stage, jobs.firstImage.request.id)
}

/** Some job waits for a model now: which one is a matter of milliseconds. */
async function lookAtModelWait(stage: Stage): Promise<void> {
  const look = async () => {
    const [waiting] = await stage.database.query<{ job_id: string }>(
      `select job_id from interlock.waiting_jobs where blocked_on like 'model:%' and blocked_by_job_id is not null limit 1`,
    )
    return waiting !== undefined && (stage.onBlocked === undefined || (await stage.onBlocked(waiting.job_id)))
  }
  await until(look, { what: 'a job to wait for a model', timeoutMs: patienceMs, signal: stage.signal })
}

interface Doom {
  readonly jobs: Demonstration
  readonly enqueue: Enqueue
  readonly name: string
  readonly agentPid: number
}

interface Victim {
  readonly jobId: string
  readonly token: number
  readonly agentPid: number
}

/** Now that the first agent is full, what comes goes to the second. Should the first have had room after all: once more. */
async function makeBusy(stage: Stage, { jobs, enqueue, name, agentPid }: Doom): Promise<Victim> {
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    const doomed = jobs.doomed(attempt)
    await enqueue([doomed])
    const jobId = doomed.request.id
    const { agent_id: agentId, token } = await started(stage, jobId)
    if (agentId.startsWith(`${name}.`)) return { jobId, token, agentPid }
    stage.say(`${jobId} was given to ${agentId}, which had room; the next one is for the second agent`)
  }
  throw new Error('the second agent was given no job')
}

/** Kills the agent while its job's processes work, and observes what becomes of them and of the job. */
async function killAndWatch(stage: Stage, second: SecondAgent, victim: Victim): Promise<Takeover> {
  const { database, workspace, signal, say } = stage
  const { jobId, token } = victim
  const timing = { timeoutMs: patienceMs, signal }
  const working = await until(
    async () => recallProcesses(workspace, jobId).find((noted) => noted.token === token && noted.processes.length > 1),
    { ...timing, what: `the processes of ${jobId}` },
  )
  await fact(
    stage,
    `${jobId} to report its progress`,
    'select from interlock.jobs where id = $1 and token = $2 and progress >= 10',
    [jobId, token],
  )
  const killedAtMs = await clockMs(database)
  await second.kill()
  say(`the second agent (pid ${second.pid}) is killed with -9 while it runs ${jobId}`)
  await until(async () => !working.processes.some(isAlive), { ...timing, what: 'its processes to be gone', everyMs: 5 })
  const goneAtMs = await clockMs(database)
  const pids = working.processes.map(({ pid }) => pid)
  say(`the processes of ${jobId} (${pids.join(', ')}) are gone`)

  const again = await started(stage, jobId, token)
  const lateWrites = await writeLate(database, jobId, token)
  say(
    `${jobId} runs again, on ${again.agent_id}; writes with its old token ${token}: ${lateWrites.map(({ answer }) => answer).join(', ')}`,
  )
  const found = await until(() => resultOf(database, jobId), { ...timing, what: `${jobId} to end` })
  return { ...victim, killedAtMs, pids, goneAtMs, foundByNext: found.former_still_alive ?? null, lateWrites }
}

/** What a process would write that does not know yet that its claim is another's. */
async function writeLate(database: Database, jobId: string, token: number): Promise<readonly LateWrite[]> {
  const writes = [
    ['report_progress', 'select interlock.report_progress($1, $2, 99)', [jobId, token]],
    ['fail_job', 'select status from interlock.fail_job($1, $2, $3)', [jobId, token, { message: 'I am late' }]],
  ] as const
  const answers: LateWrite[] = []
  for (const [verb, text, values] of writes) {
    const answer = await database.query(text, values).then(
      () => 'accepted',
      (error: unknown) => sqlstateOf(error) ?? String(error),
    )
    answers.push({ verb, answer })
  }
  return answers
}

/** A stream of younger jobs that need one model each, until the workflow that needs both has started, and a few more. */
async function feed(stage: Stage, jobs: Demonstration, enqueue: Enqueue): Promise<void> {
  const workflow = jobs.models.find(({ request }) => request.kind === 'workflow')?.request.id ?? ''
  let isStarted = false
  for (let number = 1; number <= streamMax && !isStarted; number += 1) {
    await enqueue([jobs.stream(number)])
    isStarted = await startsWithin(stage, workflow, streamEveryMs)
  }
}

async function startsWithin(stage: Stage, jobId: string, ms: number): Promise<boolean> {
  const deadline = performance.now() + ms
  const ask = async () => {
    const rows = await stage.database.query(
      `select from interlock.job_queue_log where job_id = $1 and event_type = 'assigned'`,
      [jobId],
    )
    return rows.length > 0 ? 'started' : performance.now() > deadline ? 'not yet' : null
  }
  const answer = await until(ask, { what: jobId, timeoutMs: ms + patienceMs, signal: stage.signal, everyMs: 50 })
  return answer === 'started'
}

/** Waits until a claim of the job with another token than this one was confirmed by its agent. */
async function started(stage: Stage, jobId: string, notToken = 0): Promise<{ agent_id: string; token: number }> {
  return fact(
    stage,
    `${jobId} to start`,
    `select agent_id, token from interlock.job_queue_log where job_id = $1 and event_type = 'started' and token <> $2`,
    [jobId, notToken],
  )
}

async function fact<Row extends object>(
  { database, signal }: Stage,
  what: string,
  text: string,
  values: readonly unknown[],
): Promise<Row> {
  return until(async () => (await database.query<Row>(text, values)).at(-1), { what, signal, timeoutMs: patienceMs })
}

async function resultOf(
  database: Database,
  jobId: string,
): Promise<{ former_still_alive?: readonly number[] } | undefined> {
  const [row] = await database.query<{ result: { former_still_alive?: readonly number[] } | null }>(
    'select r.result from interlock.task_history as h left join interlock.job_results as r on r.job_id = h.job_id where h.job_id = $1',
    [jobId],
  )
  return row === undefined ? undefined : (row.result ?? {})
}

async function enqueueBySql({ database }: Stage, request: JobRequest): Promise<void> {
  await database.query(`select job_id from interlock.enqueue_jobs($1, 'psql')`, [JSON.stringify([request])])
}

async function clockMs(database: Database): Promise<number> {
  const [row] = await database.query<{ ms: number }>(
    'select (extract(epoch from interlock.clock()) * 1000)::double precision as ms',
  )
  return row?.ms ?? Number.NaN
}
