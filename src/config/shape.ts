import { dirname, resolve } from 'node:path'
import type { AgentPolicy } from '../domain/agent-policy.ts'
import type { AlarmPolicy } from '../domain/alarm.ts'
import { KeyRing } from '../security/key-ring.ts'
import type { PayloadEncryption } from '../security/payload-encryption.ts'
import type { Merged } from './layer.ts'
import type { QueueSettings, Settings, TaskSettings } from './schema.ts'

export interface TaskConfig {
  readonly command: readonly string[] | null
  /** The absolute path of a module. */
  readonly module: string | null
  readonly answers: 'stdin' | null
  readonly timeoutSeconds: number | null
  /** The most that its processes may use together. */
  readonly memoryMb: number | null
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
  readonly client: {
    readonly url: string | null
    /** What is shown to the coordinator there. */
    readonly key: string | null
  }
  readonly http: {
    readonly host: string
    readonly port: number
    /** Names under which it may be asked, beside those of loopback. */
    readonly hostNames: readonly string[]
  }
  readonly security: {
    /** Whether callers need a key; `auto`: unless http.host is this machine alone. */
    readonly keys: 'auto' | 'required' | 'off'
    /** Whether a database elsewhere is spoken to by verified TLS alone. */
    readonly isDatabaseTlsRequired: boolean
    readonly encryption: PayloadEncryption
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
  readonly alarms: {
    /** Columns of interlock.alarm_policy; what no source names stays as it is there. */
    readonly policy: Readonly<Partial<AlarmPolicy>>
    readonly webhook: { readonly url: string; readonly secret: string } | null
  }
  readonly log: { readonly level: Settings['log']['level']; readonly format: Settings['log']['format'] }
}

export interface Surroundings {
  readonly file: string | null
  readonly folder: string
  readonly merged: Merged
}

/** The settings as the program reads them. */
export function toConfig(settings: Settings, surroundings: Surroundings): Config {
  const { database, client, exclusivity, agents, agent, retention } = settings
  return {
    file: surroundings.file,
    database: { url: database.url ?? null, poolSize: database.pool_size, dataDir: database.data_dir },
    client: { url: client.url ?? null, key: client.key ?? null },
    http: { host: settings.http.host, port: settings.http.port, hostNames: settings.http.host_names },
    security: {
      keys: settings.security.keys,
      isDatabaseTlsRequired: settings.security.database_tls === 'required',
      encryption: toEncryption(settings.security),
    },
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
    alarms: toAlarms(settings.alarms),
    log: settings.log,
  }
}

function toEncryption({ encryption_keys: keys, encrypt_tasks: tasks, encrypt_queues: queues }: Settings['security']) {
  return { ring: keys === undefined ? null : KeyRing.parse(keys), tasks, queues }
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

/** A coordinator without a webhook says nothing about whether another has one. */
function toAlarms({ webhook_url: url, webhook_secret: secret, ...rules }: Settings['alarms']): Config['alarms'] {
  const webhook = url === undefined || secret === undefined ? null : { url, secret }
  const stated = Object.entries(rules).filter(([, value]) => value !== undefined)
  const policy = Object.fromEntries(stated.map(([key, value]) => [key, value === 'off' ? null : value]))
  return { policy: webhook === null ? policy : { ...policy, is_delivered: true }, webhook }
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
    memoryMb: task.memory_mb ?? null,
    elapsedProgress: task.elapsed_progress ?? false,
    env: task.env ?? {},
    cwd: task.cwd ?? (origin.kind === 'file' ? dirname(resolve(folder, origin.file)) : folder),
  }
}

function mapValues<In, Out>(values: Record<string, In>, change: (value: In, key: string) => Out): Record<string, Out> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value, key)]))
}
