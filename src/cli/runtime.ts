import type { Command } from 'commander'
import { type FlagValue, type LoadedConfig, loadConfig } from '../config.ts'
import type { Backend } from './backend.ts'
import { type ExitCode, exitCodes } from './exit-code.ts'
import type { CreateApp, ServeMcp } from './launcher.ts'
import type { Terminal } from './terminal.ts'

/** What every command stands on; made once, by the process. */
export interface Runtime {
  readonly terminal: Terminal
  /** Aborted by the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal
  readonly createApp: CreateApp
  readonly serveMcp: ServeMcp
  /** What was typed behind a lone `--`, word by word: a command to run. commander lumps it with the arguments before. */
  readonly behindDashes: readonly string[]
  /** Where the command leaves its exit code; commander returns none. */
  finish(code: ExitCode): void
}

/** Options that every command takes. */
export interface GlobalOptions {
  readonly config?: string
  readonly url?: string
  readonly databaseUrl?: string
  readonly insecure?: boolean
  readonly json?: boolean
}

/** What a person says in one word, for a network of their own. */
const insecureFlags: readonly FlagValue[] = [
  { flag: '--insecure', path: ['security', 'keys'], value: 'off' },
  { flag: '--insecure', path: ['security', 'database_tls'], value: 'off' },
]

/** One call of a command: what was typed, and what it may use. */
export interface Call<Options extends object = object> {
  readonly runtime: Runtime
  readonly terminal: Terminal
  readonly signal: AbortSignal
  readonly options: GlobalOptions & Options
  readonly isJson: boolean
  argument(index: number): string
  optionalArgument(index: number): string | null
  /** The words of the last argument, where it takes several; what stands behind `--` is not among them. */
  words(index: number): readonly string[]
  /** The configuration with the global flags on top, and further ones. */
  load(flags?: readonly FlagValue[], baseFile?: string): LoadedConfig
  /** Data: as JSON when it is asked for, else as the text that is made of it. */
  show(value: unknown, toText: () => string): void
}

/** Makes a function the action of a command. What it returns is the exit code; nothing means ok. */
export function runs<Options extends object>(
  command: Command,
  runtime: Runtime,
  run: (call: Call<Options>) => Promise<ExitCode | undefined> | ExitCode | undefined,
): Command {
  return command.action(async () => {
    const call = createCall<Options>(command, runtime)
    runtime.finish((await run(call)) ?? exitCodes.ok)
  })
}

/** Makes a function that works on a queue the action of a command; the connection is closed behind it. */
export function runsWithBackend<Options extends object>(
  command: Command,
  runtime: Runtime,
  run: (call: Call<Options>, backend: Backend) => Promise<ExitCode | undefined>,
): Command {
  return runs<Options>(command, runtime, async (call) => {
    const { openBackend } = await import('./backend.ts')
    const { signal, options } = call
    const backend = await openBackend(call.load().config, {
      signal,
      prefersDatabase: options.databaseUrl !== undefined,
    })
    try {
      return await run(call, backend)
    } finally {
      await backend.close()
    }
  })
}

/** Begins the help of a command with what to type. */
export function withExamples(command: Command, examples: readonly string[]): Command {
  return command.addHelpText('before', ['Examples:', ...examples.map((example) => `  ${example}`), ''].join('\n'))
}

function createCall<Options extends object>(command: Command, runtime: Runtime): Call<Options> {
  const options = command.optsWithGlobals<GlobalOptions & Options>()
  const isJson = options.json === true
  const optionalArgument = (index: number): string | null => {
    const value: unknown = command.processedArgs[index]
    return typeof value === 'string' ? value : null
  }
  return {
    runtime,
    terminal: runtime.terminal,
    signal: runtime.signal,
    options,
    isJson,
    optionalArgument,
    words(index) {
      const words = (command.processedArgs[index] ?? []) as readonly string[]
      return words.slice(0, words.length - runtime.behindDashes.length)
    },
    argument(index) {
      const value = optionalArgument(index)
      // commander has refused the call already when a required argument is missing.
      if (value === null) throw new TypeError(`the command has no argument ${index}`)
      return value
    },
    load: (flags = [], baseFile) =>
      loadConfig({
        file: options.config,
        baseFile,
        flags: [
          { flag: '--url', path: ['client', 'url'], value: options.url },
          { flag: '--database-url', path: ['database', 'url'], value: options.databaseUrl },
          ...(options.insecure === true ? insecureFlags : []),
          ...flags,
        ],
      }),
    show: (value, toText) => runtime.terminal.print(isJson ? JSON.stringify(value, null, 2) : toText()),
  }
}
