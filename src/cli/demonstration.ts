import { existsSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { InterlockError } from '../domain/errors.ts'
import type { JobRequest } from '../domain/job-request.ts'
import type { Database } from '../store/database.ts'
import type { Call } from './runtime.ts'

/**
 * `up --demo`: the example tasks as a configuration, and a performance in a database that has seen no jobs. Both are
 * the repository's (scripts/demo), and not in the published program: they are looked for when they are asked for.
 */
const folder = new URL('../../scripts/demo/', import.meta.url)

/** What scripts/demo/conductor.ts exports, as far as it is used here. */
interface Conductor {
  conduct(stage: {
    readonly database: Database
    readonly databaseUrl: string
    readonly workspace: string
    readonly enqueue: (requests: readonly JobRequest[]) => Promise<void>
    readonly say: (sentence: string) => void
    readonly signal: AbortSignal
  }): Promise<unknown>
}

/** The configuration with the example tasks. Throws where the program was installed without them. */
export function demonstrationConfig(): string {
  const file = fileURLToPath(new URL('interlock.toml', folder))
  if (existsSync(file)) return file
  throw new InterlockError('invalid_argument', 'the demonstration comes with a clone of the repository only', {
    hint: 'Leave --demo out.',
  })
}

/**
 * Plays the demonstration, unless the database has seen jobs before. What goes wrong in it is said and ends it alone:
 * whoever started the coordinator goes on having one.
 */
export async function playDemonstration(call: Call, database: Database, databaseUrl: string): Promise<void> {
  const say = (sentence: string) => {
    const line = call.isJson ? JSON.stringify({ event: 'demonstration', sentence }) : `--- ${sentence}`
    call.terminal.print(call.isJson ? line : call.terminal.paint('bold', line))
  }
  try {
    await play(call, { database, databaseUrl, say })
  } catch (error) {
    if (call.signal.aborted) return
    say(`the demonstration ended early: ${error instanceof Error ? error.message : String(error)}`)
  }
}

interface Theatre {
  readonly database: Database
  readonly databaseUrl: string
  readonly say: (sentence: string) => void
}

async function play({ signal }: Call, { database, databaseUrl, say }: Theatre): Promise<void> {
  const { hasSeenJobs } = await import('../store/first-use.ts')
  if (await hasSeenJobs(database)) {
    say('this database has seen jobs: the demonstration is for an empty one (--data-dir names another folder)')
    return
  }
  const { enqueueJobs } = await import('../store/jobs.ts')
  const { conduct } = (await import(new URL('conductor.ts', folder).href)) as Conductor
  const workspace = await mkdtemp(join(tmpdir(), 'interlock-demo-'))
  say(`the demonstration begins; its jobs work on files in ${workspace}`)
  const enqueue = async (requests: readonly JobRequest[]) => {
    await enqueueJobs(database, requests, { actor: 'demonstration' })
  }
  await conduct({ database, databaseUrl, workspace, enqueue, say, signal })
  say('the demonstration has enqueued all of its jobs; look at them, or add your own')
}
