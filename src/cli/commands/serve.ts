import { type Command, InvalidArgumentError, Option } from 'commander'
import { exitCodes } from '../exit-code.ts'
import { type Runtime, runs, withExamples } from '../runtime.ts'
import { runUntilStopped } from '../service-run.ts'

interface ServeOptions {
  readonly port?: number
  readonly host?: string
}

/** `serve`: a coordinator and its HTTP door, on a database of one's own. */
export function addServeCommand(program: Command, runtime: Runtime): void {
  const command = program
    .command('serve')
    .description('run a coordinator with its HTTP interface on a database of your own')
    .addOption(portOption())
    .addOption(new Option('--host <address>', 'where HTTP listens (http.host)'))
  withExamples(command, [
    'DATABASE_URL=postgres://… interlock serve',
    'interlock serve --database-url postgres://… --port 8080',
  ])
  runs<ServeOptions>(command, runtime, async (call) => {
    const loaded = call.load([
      { flag: '--port', path: ['http', 'port'], value: call.options.port },
      { flag: '--host', path: ['http', 'host'], value: call.options.host },
    ])
    const parts = { migrations: false, coordinator: true, http: true, agent: false }
    await runUntilStopped(call, { loaded, parts, needsDatabaseUrl: true })
    return exitCodes.ok
  })
}

export function portOption(): Option {
  return new Option('--port <number>', 'where HTTP listens (http.port, 7400); 0 for any free one').argParser(
    wholeNumber({ least: 0, most: 65_535 }),
  )
}

/** A parser for an option that is a whole number. */
export function wholeNumber(limits: { readonly least: number; readonly most: number }): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= limits.least && value <= limits.most) return value
    throw new InvalidArgumentError(`It must be a whole number from ${limits.least} to ${limits.most}.`)
  }
}
