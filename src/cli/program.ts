import addCompletion from '@bomb.sh/tab/commander'
import { Command, CommanderError, Option } from 'commander'
import { ConfigurationError } from '../config.ts'
import { isInterlockError } from '../domain/errors.ts'
import { scrub } from '../security/scrub.ts'
import { addAgentCommand } from './commands/agent.ts'
import { addAgentsCommand } from './commands/agents.ts'
import { addAlarmsCommand } from './commands/alarms.ts'
import { addAuditCommand } from './commands/audit.ts'
import { addConfigCommand } from './commands/config.ts'
import { addDeadCommand } from './commands/dead.ts'
import { addDoctorCommand } from './commands/doctor.ts'
import { addEventsCommand } from './commands/events.ts'
import { addHistoryCommand } from './commands/history.ts'
import { addJobCommand } from './commands/job.ts'
import { addKeysCommand } from './commands/keys.ts'
import { addLocksCommand } from './commands/locks.ts'
import { addMcpCommand } from './commands/mcp.ts'
import { addMigrateCommand } from './commands/migrate.ts'
import { addMonitorCommand } from './commands/monitor.ts'
import { addPayloadsCommand } from './commands/payloads.ts'
import { addQuestionsCommand } from './commands/questions.ts'
import { addQueueCommand } from './commands/queue.ts'
import { addResourcesCommand } from './commands/resources.ts'
import { addScheduleCommand } from './commands/schedule.ts'
import { addServeCommand } from './commands/serve.ts'
import { addUpCommand } from './commands/up.ts'
import { addWorkflowCommand } from './commands/workflow.ts'
import { type ExitCode, exitCodeOf, exitCodes } from './exit-code.ts'
import { type Runtime, withExamples } from './runtime.ts'
import type { Terminal } from './terminal.ts'

export interface ProgramOptions extends Omit<Runtime, 'finish' | 'behindDashes'> {
  readonly version: string
}

/**
 * Runs one command line and answers with its exit code. Whatever goes wrong is one line on stderr: what a person can
 * do something about is said in words, and the rest is named `internal` with its message.
 */
export async function runProgram(args: readonly string[], options: ProgramOptions): Promise<ExitCode> {
  const { terminal, signal } = options
  let exitCode: ExitCode = exitCodes.ok
  const runtime: Runtime = {
    ...options,
    behindDashes: args.includes('--') ? args.slice(args.indexOf('--') + 1) : [],
    finish: (code) => {
      exitCode = code
    },
  }
  try {
    await createProgram(runtime, options.version).parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    return signal.aborted ? exitCodes.interrupted : report(error, terminal)
  }
}

/** All commands, each with its help; nothing is run yet. */
export function createProgram(runtime: Runtime, version: string): Command {
  const program = new Command('interlock')
  program
    .description('A Postgres-native job coordinator for AI agents and model workloads.')
    .version(version, '-V, --version', 'print the version')
    .addOption(new Option('--config <file>', 'the configuration (INTERLOCK_CONFIG; ./interlock.toml)'))
    .addOption(new Option('--url <url>', 'work over HTTP with a running coordinator (INTERLOCK_URL)'))
    .addOption(new Option('--database-url <url>', 'use this database (DATABASE_URL)').conflicts('url'))
    .addOption(new Option('--insecure', 'ask callers for no key, and the database for no TLS (security.*)'))
    .addOption(new Option('--json', 'data as JSON'))
  withExamples(program, [
    'interlock up                                    # everything in one process',
    'interlock queue add resize --user alice --payload \'{"url": "…"}\'',
    'interlock queue status                          # what runs, what waits, why',
    'interlock job explain d1024                     # why is my job waiting?',
  ])
  addUpCommand(program, runtime)
  addServeCommand(program, runtime)
  addAgentCommand(program, runtime)
  addMigrateCommand(program, runtime)
  addQueueCommand(program, runtime)
  addJobCommand(program, runtime)
  addAgentsCommand(program, runtime)
  addLocksCommand(program, runtime)
  addQuestionsCommand(program, runtime)
  addDeadCommand(program, runtime)
  addResourcesCommand(program, runtime)
  addWorkflowCommand(program, runtime)
  addScheduleCommand(program, runtime)
  addHistoryCommand(program, runtime)
  addMonitorCommand(program, runtime)
  addKeysCommand(program, runtime)
  addAuditCommand(program, runtime)
  addPayloadsCommand(program, runtime)
  addMcpCommand(program, runtime)
  addAlarmsCommand(program, runtime)
  addEventsCommand(program, runtime)
  addConfigCommand(program, runtime)
  addDoctorCommand(program, runtime)
  for (const command of everyCommand(program)) prepare(command, runtime.terminal)
  const ours = new Set(everyCommand(program))
  // `completion <shell>` prints what a shell needs; it asks the hidden `complete` at each tab. Behind the others: it
  // offers what it finds, and they are as they will be.
  addCompletion(program, { completionCommandName: 'completion' })
  for (const command of everyCommand(program)) if (!ours.has(command)) prepare(command, runtime.terminal)
  return program
}

/** Settings that commander does not hand down to commands that were made apart. */
function prepare(command: Command, terminal: Terminal): void {
  command
    .exitOverride()
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .showHelpAfterError(`See \`${wordsOf(command)} --help\`.`)
    .configureHelp({ showGlobalOptions: true, helpWidth: terminal.width })
    .configureOutput({
      writeOut: (text) => terminal.write(text),
      writeErr: (text) => terminal.note(text.replace(/\n$/, '')),
      outputError: (text, write) => write(terminal.paintError('red', text.trimEnd())),
    })
}

/** As it is typed: `interlock job list`. */
function wordsOf(command: Command): string {
  return command.parent === null ? command.name() : `${wordsOf(command.parent)} ${command.name()}`
}

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)]
}

function report(error: unknown, terminal: Terminal): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  if (error instanceof ConfigurationError) {
    for (const line of error.message.split('\n')) sayError(line, terminal)
    return exitCodes.usage
  }
  if (isInterlockError(error)) {
    const end = /[.!?]$/.test(error.message) ? ' ' : '. '
    sayError(error.hint === null ? error.message : `${error.message}${end}${error.hint}`, terminal)
    return exitCodeOf(error.code)
  }
  sayError(`internal: ${error instanceof Error ? error.message : String(error)}`, terminal)
  return exitCodes.failed
}

function sayError(message: string, terminal: Terminal): void {
  // A message of a server may have lines; a person gets one.
  terminal.note(terminal.paintError('red', `error: ${scrub(message).replace(/\s*\n\s*/g, ' ')}`))
}
