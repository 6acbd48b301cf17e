import { existsSync } from 'node:fs'
import { homedir, hostname, userInfo } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { defaults } from './config/defaults.ts'
import { type Environment, readEnvironmentLayer } from './config/environment.ts'
import { readFileLayer, resolvePaths } from './config/file.ts'
import { type Entry, entriesOf, type Merged, mergeEntries } from './config/layer.ts'
import { type PrintedSetting, printSettings } from './config/print.ts'
import { ConfigurationError, contradictionsOf, type Problem, problemsOf } from './config/problem.ts'
import { type QueueSettings, type Settings, settingsSchema, type TaskSettings } from './config/schema.ts'
import type { AgentPolicy } from './domain/agent-policy.ts'

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

export interface TaskConfig {
  readonly command: readonly string[] | null
  /** The absolute path of a module. */
  readonly module: string | null
  readonly answers: 'stdin' | null
  readonly timeoutSeconds: number | null
  /** Progress by what has passed of the payload's duration. */
  readonly elapsedProgress: boolean
  readonly env: Readonly<Record<string, string>>
  /** Absolute; unless set, the folder of the file that defines the task. */
  readonly cwd: string
}

export interface Config {
  /** The file that was read; null: none was there. */
  readonly file: string | null
  readonly database: {
    /** Null: the embedded server. */
    readonly url: string | null
    readonly poolSize: number
    /** Where the embedded server keeps its data. */
    readonly dataDir: string
  }
  readonly client: { readonly url: string | null }
  readonly http: {
    readonly host: string
    readonly port: number
    /** Names under which it may be asked, beside those of loopback. */
    readonly hostNames: readonly string[]
  }
  /** Columns of interlock.queues, in their own words: they go to set_queue() as they are. */
  readonly queues: Readonly<Record<string, QueueSettings>>
  /** How many unfinished jobs there may be, by scope (all, task:NAME); null: any number. */
  readonly backlog: Readonly<
    Record<string, { readonly maxUnfinished: number | null; readonly whenFull: 'refuse' | 'drop_oldest' }>
  >
  /** Null: not stated, left as it is in the database. */
  readonly exclusivity: {
    readonly perUser: boolean | null
    readonly perModel: boolean | null
    readonly serialiseAll: boolean | null
  }
  /** Capacity by resource or pattern; null: unlimited. */
  readonly resources: Readonly<Record<string, number | null>>
  readonly agents: {
    readonly heartbeatSeconds: number
    readonly leaseSeconds: number
    readonly liveness: 'connection' | 'lease'
    /** Columns of interlock.agent_policy; what no source names stays as it is there. */
    readonly policy: Readonly<Partial<AgentPolicy>>
  }
  readonly agent: {
    readonly name: string
    readonly queues: readonly string[]
    readonly permissionLevels: readonly ('autonomous' | 'supervised' | 'human_required')[]
    readonly slots: number
    readonly drainSeconds: number
    /** It ends when nothing is left that it could start. */
    readonly burst: boolean
    /** It ends after so many; null: never. */
    readonly maxJobs: number | null
    /** It ends when it had nothing to do for so long; null: never. */
    readonly maxIdleSeconds: number | null
  }
  readonly tasks: Readonly<Record<string, TaskConfig>>
  /** How long the log, the history, the output of ended jobs and idempotency keys are kept; 0: for ever. */
  readonly retention: {
    readonly logDays: number
    readonly historyDays: number
    readonly outputDays: number
    readonly onceKeyDays: number
  }
  readonly log: { readonly level: Settings['log']['level']; readonly format: Settings['log']['format'] }
}

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

interface Surroundings {
  readonly file: string | null
  readonly folder: string
  readonly merged: Merged
}

function toConfig(settings: Settings, surroundings: Surroundings): Config {
  const { database, client, exclusivity, agents, agent, retention } = settings
  return {
    file: surroundings.file,
    database: { url: database.url ?? null, poolSize: database.pool_size, dataDir: database.data_dir },
    client: { url: client.url ?? null },
    http: { host: settings.http.host, port: settings.http.port, hostNames: settings.http.host_names },
    queues: settings.queues,
    backlog: toBacklog(settings.backlog),
    exclusivity: {
      perUser: exclusivity.per_user ?? null,
      perModel: exclusivity.per_model ?? null,
      serialiseAll: exclusivity.serialise_all ?? null,
    },
    resources: mapValues(settings.resources, (capacity) => (capacity === 'unlimited' ? null : capacity)),
    agents: {
      heartbeatSeconds: agents.heartbeat_seconds,
      leaseSeconds: agents.lease_seconds,
      liveness: agents.liveness,
      policy: agentPolicyOf(agents),
    },
    agent: {
      name: agent.name,
      queues: agent.queues,
      permissionLevels: agent.permission_levels,
      slots: agent.slots,
      drainSeconds: agent.drain_seconds,
      burst: agent.burst,
      maxJobs: agent.max_jobs ?? null,
      maxIdleSeconds: agent.max_idle_seconds ?? null,
    },
    tasks: mapValues(settings.tasks, (task, name) => toTask(task, name, surroundings)),
    retention: {
      logDays: retention.log_days,
      historyDays: retention.history_days,
      outputDays: retention.output_days,
      onceKeyDays: retention.once_key_days,
    },
    log: settings.log,
  }
}

/** In the words of the row; what is not named is not in it. */
function agentPolicyOf({ weights, levels, max_utilisation }: Settings['agents']): Partial<AgentPolicy> {
  const named = {
    cpu_weight: weights?.cpu,
    memory_weight: weights?.memory,
    queue_weight: weights?.queue,
    moderate_from: levels?.moderate,
    high_from: levels?.high,
    critical_from: levels?.critical,
    max_utilisation,
  }
  return Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined))
}

function toBacklog({ max_unfinished, when_full: whenFull, tasks }: Settings['backlog']): Config['backlog'] {
  const entries = Object.entries(tasks).map(([name, count]) => [`task:${name}`, count] as const)
  const stated = max_unfinished === undefined ? entries : [['all', max_unfinished] as const, ...entries]
  return Object.fromEntries(
    stated.map(([scope, count]) => [scope, { maxUnfinished: count === 'unlimited' ? null : count, whenFull }]),
  )
}

function toTask(task: TaskSettings, name: string, { merged, folder }: Surroundings): TaskConfig {
  const origin = merged.originOf(['tasks', name])
  return {
    command: task.command ?? null,
    module: task.module ?? null,
    answers: task.answers ?? null,
    timeoutSeconds: task.timeout_seconds ?? null,
    elapsedProgress: task.elapsed_progress ?? false,
    env: task.env ?? {},
    cwd: task.cwd ?? (origin.kind === 'file' ? dirname(resolve(folder, origin.file)) : folder),
  }
}

function mapValues<In, Out>(values: Record<string, In>, change: (value: In, key: string) => Out): Record<string, Out> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value, key)]))
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
