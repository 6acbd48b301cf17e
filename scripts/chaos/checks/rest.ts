import type { Queryable } from '../../../src/store/queryable.ts'
import type { Finding } from './finding.ts'

/** What a database at rest must not have. The liveness locks of agents that live are theirs to keep. */
export async function checkRest(database: Queryable, databaseName: string): Promise<readonly Finding[]> {
  const questions: readonly (readonly [string, string])[] = [
    [
      'an advisory lock of a session that is no agent',
      `select a.application_name || ' ' || l.classid || '/' || l.objid as what
       from pg_locks as l join pg_stat_activity as a on a.pid = l.pid
       where l.locktype = 'advisory' and l.classid <> interlock.agent_lock_class()::bigint and a.datname = $1 and a.application_name not in ('nemesis', 'auditor', 'ghost')`,
    ],
    [
      'an open transaction',
      `select a.application_name || ': ' || left(a.query, 80) as what
       from pg_stat_activity as a
       where a.datname = $1 and a.pid <> pg_backend_pid() and a.backend_type = 'client backend'
         and a.xact_start < now() - interval '2 seconds'`,
    ],
    [
      'a held or reserved slot',
      `select s.resource || ' by ' || coalesce(s.active_job_id, s.reserved_lane_id::text) as what
       from interlock.job_queue_state as s
       where (s.active_job_id is not null or s.reserved_lane_id is not null) and $1::text is not null`,
    ],
    [
      'a touch that nobody absorbed',
      `select t.lane_id::text as what from interlock.job_lane_touches as t where $1::text is not null`,
    ],
    [
      'a violation',
      `select v.violation || ': ' || v.detail::text as what from interlock.violations as v where $1::text is not null`,
    ],
    [
      'an agent that counts jobs it does not have',
      `select a.id || ': ' || a.active_jobs as what
       from interlock.agent_stats as a where a.active_jobs <> 0 and $1::text is not null`,
    ],
  ]
  const findings: Finding[] = []
  for (const [name, text] of questions) {
    for (const { what } of await database.query<{ what: string }>(text, [databaseName])) {
      findings.push({ invariant: 'C', what: `${name}: ${what}` })
    }
  }
  return findings
}
