import { z } from 'zod'
import { retryDelaysField } from '../domain/retry-delays.ts'
import { ringShape } from '../security/key-ring.ts'

/**
 * The whole configuration, as it is written in interlock.toml: one strict schema, units in the names.
 * What has a default is in defaults.ts; what is optional here means "leave it as it is in the database" or "none".
 */

const queueNameShape = /^[a-z][a-z0-9_-]{0,62}$/
const taskNameShape = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,127}$/
const resourcePatternShape = /^[a-z][a-z0-9_]{0,30}:[^*\s]{0,200}\*?$/
const aMonthSeconds = 2_592_000

const seconds = (least: number, most: number) => z.number().min(least).max(most)
const wholeSeconds = (least: number, most: number) => z.int().min(least).max(most)
const retentionSeconds = wholeSeconds(0, 3_153_600_000)
const days = z.int().min(0).max(36_500)
const queueName = z
  .string()
  .regex(queueNameShape, 'must be a queue’s name: lower case letters, digits, _ and -, a letter first')
const taskName = z
  .string()
  .regex(taskNameShape, 'must be a task’s name: letters, digits, . _ / -, a letter or digit first')
const percent = z.number().min(0).max(100)
const weight = z.number().min(0).max(1000)
const plainText = z.string().min(1).max(4096)

const unfinished = z.union([z.int().min(0).max(10_000_000), z.literal('unlimited')], {
  error: 'must be a whole number from 0 to 10000000, or "unlimited"',
})
const whenFull = z.enum(['refuse', 'drop_oldest'])

const alarmCount = z.union([z.int().min(0).max(10_000_000), z.literal('off')], {
  error: 'must be a whole number from 0 to 10000000, or "off"',
})
const alarmSeconds = z.union([wholeSeconds(1, aMonthSeconds), z.literal('off')], {
  error: 'must be whole seconds from 1 to 2592000, or "off"',
})

/** What a queue's policy may say, in a file and over HTTP. */
export const queueSettings = z.strictObject({
  is_paused: z.boolean().optional(),
  tasks: z.array(taskName).max(1000).optional(),
  scheduling: z.enum(['fair', 'fifo']).optional(),
  priority_step_seconds: z.union([seconds(0, 1e10), z.literal('strict')]).optional(),
  patience_seconds: z.union([z.number().min(0), z.literal(Number.POSITIVE_INFINITY)]).optional(),
  user_weights: z.record(plainText, z.int().min(1).max(100)).optional(),
  timeout_seconds: wholeSeconds(1, aMonthSeconds).optional(),
  ttl_seconds: retentionSeconds.optional(),
  max_attempts: z.int().min(1).max(100).optional(),
  retry_delays_seconds: retryDelaysField.optional(),
  retries_per_minute: z.int().min(1).max(100_000).optional(),
  request_ttl_seconds: wholeSeconds(1, aMonthSeconds).optional(),
  result_retention_seconds: retentionSeconds.optional(),
  failure_retention_seconds: retentionSeconds.optional(),
  finished_retention_seconds: retentionSeconds.optional(),
  dead_letter_retention_seconds: retentionSeconds.optional(),
  max_unfinished: unfinished.optional(),
  when_full: whenFull.optional(),
  refuse_after_wait_seconds: seconds(0, 1e9).optional(),
  heartbeat_seconds: wholeSeconds(1, 86_400).optional(),
})

/** Limits of the unfinished jobs in all, and by task; those of a queue are its own settings. */
const backlog = z.strictObject({
  max_unfinished: unfinished.optional(),
  when_full: whenFull,
  tasks: z.record(taskName, unfinished),
})

const task = z
  .strictObject({
    command: z.array(plainText).min(1).max(1000).optional(),
    module: plainText.optional(),
    answers: z.enum(['stdin']).optional(),
    timeout_seconds: wholeSeconds(1, aMonthSeconds).optional(),
    memory_mb: z.int().min(1).max(16_777_216).optional(),
    elapsed_progress: z.boolean().optional(),
    env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be a variable’s name'), z.string()).optional(),
    cwd: plainText.optional(),
  })
  .refine((entry) => (entry.command === undefined) !== (entry.module === undefined), {
    error: 'must have either a command (a list of arguments) or a module (a file)',
  })

export const settingsSchema = z.strictObject({
  database: z.strictObject({
    url: z
      .string()
      .regex(/^postgres(ql)?:\/\//, 'must begin with postgres:// or postgresql://')
      .optional(),
    pool_size: z.int().min(2).max(500),
    data_dir: plainText,
  }),
  client: z.strictObject({
    url: z
      .string()
      .regex(/^https?:\/\/[^/]+/, 'must begin with http:// or https://')
      .optional(),
    key: z
      .string()
      .regex(/^il_[a-z0-9]{8,32}_[A-Za-z0-9_-]{43}$/, 'must be a key, il_<id>_<secret>')
      .optional(),
  }),
  http: z.strictObject({
    host: plainText,
    port: z.int().min(0).max(65_535),
    host_names: z.array(plainText).max(100),
  }),
  security: z.strictObject({
    keys: z.enum(['auto', 'required', 'off']),
    database_tls: z.enum(['required', 'off']),
    encryption_keys: z
      .string()
      .regex(ringShape, 'must be name:base64 with 32 bytes, by commas or lines, the one that writes first')
      .optional(),
    encrypt_tasks: z.array(taskName).max(1000),
    encrypt_queues: z.array(queueName).max(100),
  }),
  queues: z.record(queueName, queueSettings),
  backlog,
  exclusivity: z.strictObject({
    per_user: z.boolean().optional(),
    per_model: z.boolean().optional(),
    serialise_all: z.boolean().optional(),
  }),
  resources: z.record(
    z.string().regex(resourcePatternShape, 'must be a resource, kind:value, or a pattern that ends in an asterisk'),
    z.union([z.int().min(0).max(100_000), z.literal('unlimited')], {
      error: 'must be a whole number from 0 to 100000, or "unlimited"',
    }),
  ),
  agents: z
    .strictObject({
      heartbeat_seconds: seconds(0.1, 600),
      lease_seconds: wholeSeconds(1, 3600),
      liveness: z.enum(['connection', 'lease']),
      weights: z
        .strictObject({ cpu: weight.optional(), memory: weight.optional(), queue: weight.optional() })
        .optional(),
      levels: z
        .strictObject({ moderate: percent.optional(), high: percent.optional(), critical: percent.optional() })
        .optional(),
      max_utilisation: z.number().min(1).max(100).optional(),
    })
    .refine((agents) => agents.heartbeat_seconds * 2 <= agents.lease_seconds, {
      path: ['heartbeat_seconds'],
      error: 'must be at most half of agents.lease_seconds, or one lost heartbeat ends the lease',
    }),
  agent: z.strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'must be letters, digits, . _ -, a letter or digit first'),
    queues: z.array(queueName).min(1).max(100),
    permission_levels: z.array(z.enum(['autonomous', 'supervised', 'human_required'])).min(1),
    slots: z.int().min(1).max(10_000),
    drain_seconds: seconds(0, 3600),
    burst: z.boolean(),
    max_jobs: z.int().min(1).max(1_000_000_000).optional(),
    max_idle_seconds: seconds(0, aMonthSeconds).optional(),
  }),
  tasks: z.record(taskName, task),
  retention: z.strictObject({ log_days: days, history_days: days, output_days: days, once_key_days: days }),
  alarms: z
    .strictObject({
      queue_depth: alarmCount.optional(),
      failed_jobs: alarmCount.optional(),
      failed_window_seconds: wholeSeconds(1, aMonthSeconds).optional(),
      dead_letter_seconds: alarmSeconds.optional(),
      oldest_wait_seconds: alarmSeconds.optional(),
      unserved_seconds: alarmSeconds.optional(),
      old_snapshot_seconds: alarmSeconds.optional(),
      clear_seconds: wholeSeconds(0, 86_400).optional(),
      webhook_url: z
        .string()
        .regex(/^https:\/\/[^/@\s]+(\/\S*)?$/, 'must begin with https://, and name no user')
        .optional(),
      webhook_secret: z
        .string()
        .regex(/^whsec_[A-Za-z0-9+/]{32,}={0,2}$/, 'must be whsec_ and at least 24 random bytes in base64')
        .optional(),
    })
    .refine((alarms) => (alarms.webhook_url === undefined) === (alarms.webhook_secret === undefined), {
      path: ['webhook_url'],
      error: 'and alarms.webhook_secret must be set both, or neither',
    }),
  log: z.strictObject({
    level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    format: z.enum(['auto', 'text', 'json']),
  }),
})

/** The validated configuration in the file's own words (snake_case). */
export type Settings = z.infer<typeof settingsSchema>
export type QueueSettings = Settings['queues'][string]
export type TaskSettings = Settings['tasks'][string]

/** The sections whose keys are fixed, and which environment variables can therefore name. */
export const fixedSections = [
  'database',
  'client',
  'http',
  'security',
  'backlog',
  'exclusivity',
  'agents',
  'agent',
  'retention',
  'alarms',
  'log',
] as const

/** Whose values are shown to nobody. */
export const secretPaths: ReadonlySet<string> = new Set([
  'database.url',
  'client.key',
  'security.encryption_keys',
  'alarms.webhook_url',
  'alarms.webhook_secret',
])

/** The names that stand for a table in the schema at a path, or null where any name may. */
export function knownKeys(path: readonly string[]): readonly string[] | null {
  const schema = schemaAt(path)
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : null
}

/** The schema of one setting or table; undefined where there is none. */
export function schemaAt(path: readonly string[]): z.ZodType | undefined {
  let schema: unknown = settingsSchema
  for (const key of path) {
    const inner = unwrap(schema)
    if (inner instanceof z.ZodObject) schema = Object.hasOwn(inner.shape, key) ? inner.shape[key] : undefined
    else if (inner instanceof z.ZodRecord) schema = inner.valueType
    else return undefined
  }
  return unwrap(schema) as z.ZodType | undefined
}

function unwrap(schema: unknown): unknown {
  return schema instanceof z.ZodOptional ? unwrap(schema.unwrap()) : schema
}
