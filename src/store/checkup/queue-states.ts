import { type Finding, problem, warning } from '../../domain/finding.ts'
import type { Queryable } from '../queryable.ts'

/** What the auditor's view says: what should never be. It reads everything, and is given a minute. */
export async function checkViolations(database: Queryable): Promise<readonly Finding[]> {
  const rows = await database.query<{
    violation: string
    resource: string | null
    job_id: string | null
    detail: string | null
  }>('select v.violation, v.resource, v.job_id, v.detail from interlock.violations as v limit 20')
  return rows.map(({ violation, resource, job_id, detail }) =>
    problem(
      [violation, resource, job_id, detail].filter((part) => part !== null).join(', '),
      'a defect: keep job_queue_log, and report it with the lines of sql/inspect/violations.sql',
    ),
  )
}

/** What should have moved on by itself and has not. */
export async function checkStuckJobs(database: Queryable): Promise<readonly Finding[]> {
  const rows = await database.query<{ trouble: string; jobs: number; example: string; seconds: number }>(
    `select s.trouble, count(*)::int as jobs, min(s.job_id) as example,
            max(extract(epoch from interlock.clock() - s.since))::int as seconds
     from interlock.stuck_jobs() as s
     group by s.trouble
     order by count(*) desc, s.trouble`,
  )
  return rows.map(({ trouble, jobs, example, seconds }) =>
    // A pause is somebody's wish.
    (trouble === 'its queue is paused' ? warning : problem)(
      `${jobs === 1 ? `job ${example}` : `${jobs} jobs, ${example} among them`}: ${trouble} (for ${seconds} s)`,
      `${remedyOf(trouble)}; psql -f sql/inspect/stuck_jobs.sql`,
    ),
  )
}

function remedyOf(trouble: string): string {
  if (trouble.includes('no coordinator runs')) return 'start one: interlock serve'
  if (trouble.startsWith('no live agent')) return 'start an agent of that queue and permission level: interlock agent'
  if (trouble.includes('paused')) return `select interlock.set_queue('…', '{"is_paused": false}')`
  return 'see that a coordinator runs (interlock serve): it sees to it'
}

/** The inbox and the doorbells: both are near 0 while a coordinator runs. */
export async function checkInbox(database: Queryable): Promise<readonly Finding[]> {
  const [row] = await database.query<{ touches: number; has_doorbells: boolean; defaults: number }>(
    `select (select count(*)::int from (select from interlock.job_lane_touches limit 20000) as t) as touches,
            to_regclass('graphile_worker.jobs') is not null as has_doorbells`,
  )
  const findings: Finding[] = []
  const touches = row?.touches ?? 0
  if (touches >= 10_000) {
    findings.push(
      warning(`${touches} touches of lanes wait to be absorbed: claims look at old lines`, 'start a coordinator'),
    )
  }
  if (row?.has_doorbells !== true) return findings
  const [bells] = await database.query<{ count: number }>(
    `select count(*)::int from (select from graphile_worker.jobs as d where d.task_identifier = 'dispatch' limit 20000) as d`,
  )
  if ((bells?.count ?? 0) >= 10_000) {
    findings.push(warning(`${bells?.count} doorbells wait to be answered`, 'start a coordinator'))
  }
  return findings
}

/** Names that are registered again and again, and jobs that lose their agent again and again. */
export async function checkReturning(database: Queryable): Promise<readonly Finding[]> {
  const agents = await database.query<{ name: string; times: number; processes: number }>(
    `select a.name, count(*)::int as times, count(distinct (a.host, a.pid))::int as processes
     from interlock.agent_stats as a
     where a.registered_at > interlock.clock() - interval '1 hour'
       and a.id <> interlock.locks_agent()
     group by a.name
     having count(*) > 5
     order by count(*) desc
     limit 10`,
  )
  const jobs = await database.query<{ job_id: string; times: number }>(
    `select e.job_id, count(*)::int as times
     from interlock.job_queue_log as e
     where e.created_at > now() - interval '1 day'
       and e.event_type = 'lost'
     group by e.job_id
     having count(*) > 1
     order by count(*) desc
     limit 10`,
  )
  return [
    ...agents.map(({ name, times, processes }) =>
      warning(
        `agent ${name} was registered ${times} times within the hour, by ${processes} processes`,
        'does it crash, is it cut off, or do two go by one name? psql -f sql/inspect/returning_agents.sql',
      ),
    ),
    ...jobs.map(({ job_id, times }) =>
      warning(
        `job ${job_id} lost its agent ${times} times: it may be what kills it`,
        `interlock job output ${job_id}; psql -f sql/inspect/lost_attempts.sql`,
      ),
    ),
  ]
}
