import type { Assignment } from './assignment.ts'

type Variables = Readonly<Record<string, string | undefined>>

// A job is somebody else's program. It gets what programs need (PATH, HOME, the owner's API keys) and not what the
// coordinator needs: with the database's URL it could write past every fence.
const withheld = /^(DATABASE_URL.*|PG[A-Z]+|INTERLOCK_.*|NODE_OPTIONS|NODE_CHANNEL_.*)$/

/** What the processes of jobs inherit of the agent's own environment. */
export function inheritedByJobs(environment: Variables): Record<string, string> {
  const entries = Object.entries(environment).filter(([name, value]) => value !== undefined && !withheld.test(name))
  return Object.fromEntries(entries) as Record<string, string>
}

/** The variables that tell a job who it is; `url` is where it may call back. */
export function variablesOfJob(assignment: Assignment, url: string | null): Record<string, string> {
  return {
    INTERLOCK_JOB_ID: assignment.jobId,
    INTERLOCK_TOKEN: String(assignment.token),
    INTERLOCK_FENCES: JSON.stringify(assignment.fences),
    INTERLOCK_ATTEMPT: String(assignment.attempt),
    ...(url === null ? {} : { INTERLOCK_URL: url }),
  }
}
