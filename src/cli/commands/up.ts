import { type Command, Option } from 'commander'
import type { LoadedConfig } from '../../config.ts'
import { demonstrationConfig } from '../demonstration.ts'
import { exitCodes } from '../exit-code.ts'
import { type Call, type Runtime, runs, withExamples } from '../runtime.ts'
import { runUntilStopped } from '../service-run.ts'
import { slotsOption } from './agent.ts'
import { portOption } from './serve.ts'

interface UpOptions {
  readonly dataDir?: string
  readonly port?: number
  readonly slots?: number
  /** commander turns --no-agent into agent: false. */
  readonly agent: boolean
  readonly demo?: boolean
}

/** `up`: everything in one process. */
export function addUpCommand(program: Command, runtime: Runtime): void {
  const command = program
    .command('up')
    .description('run everything in one process: Postgres (unless a database is named), coordinator, HTTP, an agent')
    .addOption(new Option('--data-dir <folder>', 'where the embedded Postgres keeps its data (database.data_dir)'))
    .addOption(portOption())
    .addOption(slotsOption())
    .addOption(new Option('--no-agent', 'run no jobs here'))
    .addOption(new Option('--demo', 'the example tasks, and in an empty database the demonstration'))
  withExamples(command, [
    'interlock up                                    # Postgres brought along',
    'interlock up --demo                             # and something to look at',
    'DATABASE_URL=postgres://… interlock up --port 8080 --slots 8',
  ])
  runs<UpOptions>(command, runtime, async (call) => {
    const { loaded, isDemo } = loadForUp(call)
    const parts = { migrations: true, coordinator: true, http: true, agent: call.options.agent }
    await runUntilStopped(call, {
      loaded,
      parts,
      needsDatabaseUrl: false,
      showsEvents: true,
      isDemo: isDemo && call.options.agent,
    })
    return exitCodes.ok
  })
}

/** The demonstration's tasks come in where the person has none; with tasks of their own there is nothing to show. */
function loadForUp(call: Call<UpOptions>): { readonly loaded: LoadedConfig; readonly isDemo: boolean } {
  const { dataDir, port, slots, demo } = call.options
  const flags = [
    { flag: '--data-dir', path: ['database', 'data_dir'], value: dataDir },
    { flag: '--port', path: ['http', 'port'], value: port },
    { flag: '--slots', path: ['agent', 'slots'], value: slots },
  ]
  const loaded = call.load(flags)
  const isDemo = demo === true && Object.keys(loaded.config.tasks).length === 0
  return { loaded: isDemo ? call.load(flags, demonstrationConfig()) : loaded, isDemo }
}
