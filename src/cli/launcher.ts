import type { Config } from '../config.ts'

/** What of the system runs in this process. */
export interface AppParts {
  /** Bring the schema to this program's version; else it must be there already. */
  readonly migrations: boolean
  readonly coordinator: boolean
  readonly http: boolean
  readonly agent: boolean
}

/** A part that came up, told to whoever started it. */
export interface CameUp {
  readonly part: 'postgres' | 'psql' | 'schema' | 'coordinator' | 'http' | 'agent'
  /** One line for a person: the address, what it does. */
  readonly text: string
  /** The same for a program. */
  readonly details: Readonly<Record<string, unknown>>
}

export interface AppOptions {
  readonly parts: AppParts
  /** Messages of the log of this level and above go to stderr. */
  readonly logLevel: Config['log']['level']
  /** Somebody shows the events of jobs as they come: the agent's own lines on single jobs would say it twice. */
  readonly showsEvents: boolean
  /** Whether a person reads stderr, and with colours. */
  readonly log: { readonly isInteractive: boolean; readonly hasColour: boolean }
  onUp(part: CameUp): void
}

/** The running system, or the parts of it that this process runs. */
export interface App {
  /** Brings all parts up, in order. Throws InterlockError, after having stopped what had come up. */
  start(signal: AbortSignal): Promise<void>
  /** Stops what runs, in reverse order; may be called twice, and during start. */
  stop(): Promise<void>
  /** Resolves when an agent that runs here alone has ended by itself: nothing is left to run. */
  readonly ended: Promise<void>
  /** Where the database is; known once started. */
  readonly databaseUrl: string | null
}

/** How the process makes its parts. The composition root brings it: the command line knows none of them. */
export type CreateApp = (config: Config, options: AppOptions) => Promise<App>

/** Where a queue is: behind HTTP, or straight in a database. */
export type Place =
  | { readonly url: string; readonly key: string | null }
  | { readonly databaseUrl: string; readonly security: Config['security'] }

/** Serves one client of the Model Context Protocol over stdin and stdout, until it leaves or the signal is aborted. */
export type ServeMcp = (
  place: Place,
  options: { readonly signal: AbortSignal; readonly onError: (error: Error) => void },
) => Promise<void>
