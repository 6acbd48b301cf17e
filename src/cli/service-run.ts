import { once } from 'node:events'
import type { LoadedConfig } from '../config.ts'
import { InterlockError } from '../domain/errors.ts'
import { playDemonstration } from './demonstration.ts'
import { showEvents } from './event-lines.ts'
import type { App, AppParts, CameUp } from './launcher.ts'
import type { Call } from './runtime.ts'

export interface ServiceRun {
  readonly loaded: LoadedConfig
  readonly parts: AppParts
  /** Whether a database has to be named; else one is brought along. */
  readonly needsDatabaseUrl: boolean
  /** Show each event of the queue as a line, as `up` does. */
  readonly showsEvents?: boolean
  readonly isDemo?: boolean
}

/**
 * Brings the parts up, says so a line each, and runs until the first Ctrl-C or SIGTERM, or until an agent alone has done
 * what it was to; then stops in order. What does
 * not come up is thrown, after what had come up is stopped.
 */
export async function runUntilStopped(call: Call, run: ServiceRun): Promise<void> {
  const { config } = run.loaded
  if (run.needsDatabaseUrl && config.database.url === null) {
    throw new InterlockError('invalid_argument', 'no database is named', {
      hint: 'Set DATABASE_URL or --database-url, or let `interlock up` bring one along.',
    })
  }
  const app = await call.runtime.createApp(config, {
    parts: run.parts,
    logLevel: logLevelOf(run),
    log: call.terminal.log,
    showsEvents: run.showsEvents === true,
    onUp: (part) => showPart(call, part),
  })
  try {
    await app.start(call.signal)
    await runStarted(call, run, app)
  } catch (error) {
    // A stop while it starts is an orderly end, not a failure.
    if (!call.signal.aborted) throw error
  } finally {
    if (call.signal.aborted) call.terminal.note('stopping; once more to stop at once')
    await app.stop()
  }
}

async function runStarted(call: Call, run: ServiceRun, { databaseUrl, ended }: App): Promise<void> {
  if (run.showsEvents === true && databaseUrl !== null) {
    await showEvents(call, databaseUrl, async (database) => {
      if (run.isDemo === true) await playDemonstration(call, database, databaseUrl)
    })
  } else if (!call.signal.aborted) {
    await Promise.race([once(call.signal, 'abort'), ended])
  }
}

/** Beside the lines of the events, only warnings are worth a line, unless somebody asked for more. */
function logLevelOf(run: ServiceRun): LoadedConfig['config']['log']['level'] {
  const { config, printed } = run.loaded
  const isChosen = printed.some(({ setting, origin }) => setting === 'log.level' && origin !== 'default')
  return isChosen || run.showsEvents !== true ? config.log.level : 'warn'
}

function showPart(call: Call, { part, text, details }: CameUp): void {
  const { terminal } = call
  if (call.isJson) terminal.print(JSON.stringify({ event: 'up', part, ...details }))
  else terminal.print(`${terminal.paint('bold', part.padEnd(11))}  ${text}`)
}
