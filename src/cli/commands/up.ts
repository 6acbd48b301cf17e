import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Command, Option } from 'commander'
import type { LoadedConfig } from '../../config.ts'
import { InterlockError } from '../../domain/errors.ts'
import { demonstrationConfig } from '../demonstration.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
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
  readonly ephemeral?: boolean
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
    .addOption(
      new Option('--ephemeral', 'keep nothing: a data folder of its own, thrown away at the end').conflicts('dataDir'),
    )
    .addOption(new Option('--demo', 'the example tasks, and in an empty database the demonstration'))
  withExamples(command, [
    'interlock up                                    # Postgres brought along',
    'interlock up --demo                             # and something to look at',
    'DATABASE_URL=postgres://… interlock up --port 8080 --slots 8',
  ])
  runs<UpOptions>(command, runtime, async (call) => {
    const folder = call.options.ephemeral === true ? await mkdtemp(join(tmpdir(), 'interlock-ephemeral-')) : null
    try {
      return await runEverything(call, folder)
    } finally {
      // After the server has stopped: it would write into what is being taken away.
      if (folder !== null) await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
    }
  })
}

async function runEverything(call: Call<UpOptions>, folder: string | null): Promise<ExitCode> {
  const { loaded, isDemo } = loadForUp(call, folder)
  if (folder !== null && loaded.config.database.url !== null) {
    throw new InterlockError('invalid_argument', '--ephemeral keeps nothing, and a database of yours is named', {
      hint: 'Unset DATABASE_URL and database.url, or leave --ephemeral out.',
    })
  }
  const parts = { migrations: true, coordinator: true, http: true, agent: call.options.agent }
  await runUntilStopped(call, {
    loaded,
    parts,
    needsDatabaseUrl: false,
    showsEvents: true,
    isDemo: isDemo && call.options.agent,
  })
  return exitCodes.ok
}

/** The demonstration's tasks come in where the person has none; with tasks of their own there is nothing to show. */
function loadForUp(
  call: Call<UpOptions>,
  folder: string | null,
): { readonly loaded: LoadedConfig; readonly isDemo: boolean } {
  const { dataDir, port, slots, demo } = call.options
  const flags = [
    { flag: '--data-dir', path: ['database', 'data_dir'], value: folder ?? dataDir },
    { flag: '--port', path: ['http', 'port'], value: port },
    { flag: '--slots', path: ['agent', 'slots'], value: slots },
  ]
  const loaded = call.load(flags)
  const isDemo = demo === true && Object.keys(loaded.config.tasks).length === 0
  return { loaded: isDemo ? call.load(flags, demonstrationConfig()) : loaded, isDemo }
}
