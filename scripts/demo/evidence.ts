import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Database } from '../../src/store/database.ts'
import { checkBlockers } from './checks/blockers.ts'
import { checkEndings, checkTransitions } from './checks/endings.ts'
import { checkExclusivity } from './checks/exclusivity.ts'
import { checkCrash, checkHang } from './checks/failures.ts'
import { checkFencedStore, type StoreLine } from './checks/fenced-store.ts'
import { checkHandOvers } from './checks/hand-overs.ts'
import { checkSeen, type SeenWait } from './checks/seen.ts'
import { checkFormerProcesses, checkLateWrites, checkTakeover } from './checks/takeover.ts'
import { checkCommits, checkSecondWaited } from './checks/users.ts'
import { judge, type Verdict } from './checks/verdict.ts'
import { checkGang, checkNotStarved, type WorkflowPlan } from './checks/workflow.ts'
import type { Performance } from './conductor.ts'
import { models, plan } from './demonstration.ts'
import { claimsOf, type LogEvent } from './history.ts'
import { isAlive, recallProcesses } from './tasks/processes.ts'
import { type EditRecord, Repository } from './tasks/repository.ts'

export interface Evidence {
  readonly log: readonly LogEvent[]
  readonly performance: Performance
  readonly seen: readonly SeenWait[]
  readonly workspace: string
  readonly suffix: string
  readonly database: Database
}

/** Every check of the demonstration, in the order in which a person asks. */
export async function judgePerformance(evidence: Evidence): Promise<readonly Verdict[]> {
  const { log, performance, seen, workspace, suffix, database } = evidence
  const { jobs, takeover } = performance
  const id = (name: string) => `${name}${suffix}`
  const queues = new Map(jobs.map(({ request }) => [request.id, request.queue]))
  const workflow: WorkflowPlan = {
    jobId: id(plan.workflow),
    models: Object.values(models).map((model) => `model:${model}`),
    patienceMs: plan.patienceSeconds * 1000,
  }
  const { crash, hang } = plan
  const killed = new Set(claimsOf(log).flatMap(({ token, ended }) => (ended?.type === 'lost' ? [token] : [])))
  const lastWords = recallProcesses(workspace, id(hang.id)).flatMap(({ processes }) => processes)
  return [
    checkExclusivity(log),
    checkFencedStore(readStore(workspace), killed),
    checkTransitions(log),
    checkEndings(log, new Map(jobs.map(({ request, ends }) => [request.id, ends]))),
    checkSecondWaited(log, { first: id('alice-1'), second: id('alice-2'), others: [id('bob-1'), id('charlie-1')] }),
    await judgeCommits(workspace, performance),
    checkBlockers(log),
    checkSeen(seen),
    checkHandOvers(log, (jobId) => queues.get(jobId) ?? ''),
    checkGang(log, workflow),
    checkNotStarved(log, workflow),
    checkCrash(log, { jobId: id(crash.id), attempts: crash.attempts, delayMs: crash.delaySeconds * 1000 }),
    checkHang(log, {
      jobId: id(hang.id),
      timeoutMs: hang.timeoutSeconds * 1000,
      graceMs: 1500,
      stillAlive: lastWords.filter(isAlive).map(({ pid }) => pid),
    }),
    checkTakeover(log, takeover),
    checkFormerProcesses(log, takeover),
    checkLateWrites(takeover),
    await checkAuditor(database),
  ]
}

async function checkAuditor(database: Database): Promise<Verdict> {
  const rows = await database.query('select violation, resource, job_id, detail from interlock.violations')
  return judge(
    `the auditor's view interlock.violations is empty`,
    rows.map((row) => JSON.stringify(row)),
  )
}

/** What the processes wrote behind each resource, file by file in the order of writing. */
function readStore(workspace: string): readonly StoreLine[] {
  const folder = join(workspace, 'fenced')
  return readdirSync(folder).flatMap((name) => {
    const lines = readFileSync(join(folder, name), 'utf8').split('\n')
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as StoreLine)
  })
}

async function judgeCommits(workspace: string, performance: Performance): Promise<Verdict> {
  const edits = new Map<string, readonly EditRecord[]>()
  let hasGit = true
  for (const user of plan.usersWithRepositories) {
    const repository = await Repository.open(workspace, user)
    edits.set(user, await repository.edits())
    hasGit &&= repository.hasGit
  }
  return checkCommits(edits, editsExpected(performance), hasGit ? 'git' : 'edits.log')
}

function editsExpected({ jobs }: Performance): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { request } of jobs) {
    if (request.task === 'edit-repo' && request.user !== undefined) {
      counts.set(request.user, (counts.get(request.user) ?? 0) + 1)
    }
  }
  return counts
}
