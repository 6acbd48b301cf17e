import { existsSync } from 'node:fs'
import { homedir, hostname, userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import { defaults } from './config/defaults.ts'
import { type Environment, readEnvironmentLayer } from './config/environment.ts'
import { readFileLayer, resolvePaths } from './config/file.ts'
import { type Entry, entriesOf, mergeEntries } from './config/layer.ts'
import { type PrintedSetting, printSettings } from './config/print.ts'
import { ConfigurationError, contradictionsOf, type Problem, problemsOf } from './config/problem.ts'
import { settingsSchema } from './config/schema.ts'
import { type Config, toConfig } from './config/shape.ts'

/**
 * The configuration, and the only file that reads the environment.
 *
 * Sources, later ones win: defaults, the TOML file (--config, INTERLOCK_CONFIG, ./interlock.toml), the environment,
 * flags. Everything that is wrong in any of them is reported at once, each with the place it was written at.
 * Queues, resources and exclusivity are policy, rows in the database: what no source names stays as it is there.
 */

export { maskSecret, type PrintedSetting } from './config/print.ts'
export { ConfigurationError, describeProblem, type Problem } from './config/problem.ts'
export type { QueueSettings } from './config/schema.ts'
export type { Config, TaskConfig } from './config/shape.ts'

/** A flag of the command line that overrides a setting. */
export interface FlagValue {
  readonly flag: string
  readonly path: readonly string[]
  readonly value: unknown
}

export interface ConfigSources {
  /** What --config names. */
  readonly file?: string | undefined
  /** A file below the person's own: the demonstration's tasks. */
  readonly baseFile?: string | undefined
  readonly flags?: readonly FlagValue[]
  readonly environment?: Environment
  readonly folder?: string
}

export interface LoadedConfig {
  readonly config: Config
  /** Every setting, its value and its source, secrets masked. */
  readonly printed: readonly PrintedSetting[]
}

/**
 * Reads and validates all sources. Throws ConfigurationError with every problem found.
 */
export function loadConfig(sources: ConfigSources = {}): LoadedConfig {
  const environment = sources.environment ?? process.env
  const folder = sources.folder ?? process.cwd()
  const problems: Problem[] = []
  const layers: Entry[][] = [entriesOf(defaultsHere(environment), () => ({ kind: 'default' }))]
  const file = findFile(sources.file ?? environment.INTERLOCK_CONFIG, folder)
  for (const shownAs of [sources.baseFile, file]) {
    if (shownAs === undefined || shownAs === null) continue
    const layer = readFileLayer(resolve(folder, shownAs), shownAs)
    layers.push([...layer.entries])
    problems.push(...layer.problems)
  }
  const variables = readEnvironmentLayer(environment)
  problems.push(...variables.problems)
  layers.push(variables.entries.map((entry) => resolvePaths(entry, folder)))
  const flags = (sources.flags ?? []).filter((flag) => flag.value !== undefined)
  layers.push(
    flags.map(({ flag, path, value }) => resolvePaths({ path, value, origin: { kind: 'flag', flag } }, folder)),
  )

  const merged = mergeEntries(layers)
  const parsed = settingsSchema.safeParse(merged.values)
  problems.push(...(parsed.success ? contradictionsOf(parsed.data, merged) : problemsOf(parsed.error, merged)))
  if (!parsed.success || problems.length > 0) throw new ConfigurationError(problems)
  return {
    config: toConfig(parsed.data, { file: file === null ? null : resolve(folder, file), folder, merged }),
    printed: printSettings(parsed.data, merged),
  }
}

/** What the environment says about how to write to a terminal. */
export interface TerminalPreferences {
  readonly noColour: boolean
  readonly columns: number | null
}

export function readTerminalPreferences(environment: Environment = process.env): TerminalPreferences {
  const columns = Number(environment.COLUMNS)
  return {
    // Any value but the empty one, by the convention of no-color.org.
    noColour: (environment.NO_COLOR ?? '') !== '' || environment.TERM === 'dumb',
    columns: Number.isInteger(columns) && columns > 0 ? columns : null,
  }
}

/**
 * React and the like choose their build by NODE_ENV when they are loaded. The one for development keeps a record of
 * every drawing: a monitor that is left open for a week would not be small any more.
 */
export function preferProductionBuilds(): void {
  process.env.NODE_ENV ??= 'production'
}

/** Who types: the actor in the log of what a person changes. */
export function readActor(environment: Environment = process.env): string | null {
  return environment.USER || environment.LOGNAME || nameOfUser()
}

function nameOfUser(): string | null {
  try {
    return userInfo().username
  } catch {
    // A container's number without a line in /etc/passwd.
    return null
  }
}

/** What the processes of an agent inherit. */
export function inheritedEnvironment(): Environment {
  return process.env
}

function findFile(named: string | undefined, folder: string): string | null {
  if (named !== undefined && named !== '') return named
  return existsSync(resolve(folder, 'interlock.toml')) ? 'interlock.toml' : null
}

/** The defaults, with what depends on the machine. */
function defaultsHere(environment: Environment): object {
  const { database, agent } = defaults
  return {
    ...defaults,
    database: { ...database, data_dir: dataFolder(environment) },
    agent: { name: machineName(), ...agent },
  }
}

/** Root's server runs as another user, who cannot reach into root's home; anybody else keeps it at home. */
function dataFolder(environment: Environment): string {
  if (process.getuid?.() === 0) return '/var/lib/interlock'
  return join(environment.XDG_DATA_HOME || join(homedir(), '.local', 'share'), 'interlock')
}

/** The machine's name as an agent's name: what does not fit becomes a dash. */
function machineName(): string {
  const name = hostname()
    .replace(/[^A-Za-z0-9._-]/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
  return name.slice(0, 63) || 'agent'
}
