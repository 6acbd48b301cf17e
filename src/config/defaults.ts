/**
 * What holds where nobody says otherwise, in the words of interlock.toml. The machine's own name is added by
 * config.ts (agent.name). Queues, resources and exclusivity have no defaults here: what the configuration does not
 * name stays as it is in the database, where the first migration put sane rows.
 */
export const defaults = {
  database: { pool_size: 10 },
  client: {},
  http: { host: '127.0.0.1', port: 7400, host_names: [] },
  security: { keys: 'auto', database_tls: 'required', encrypt_tasks: [], encrypt_queues: [] },
  queues: {},
  backlog: { when_full: 'refuse', tasks: {} },
  exclusivity: {},
  resources: {},
  agents: { heartbeat_seconds: 5, lease_seconds: 15, liveness: 'connection' },
  agent: {
    queues: ['high', 'default', 'low'],
    permission_levels: ['autonomous'],
    slots: 4,
    drain_seconds: 25,
    burst: false,
  },
  tasks: {},
  retention: { log_days: 7, history_days: 365, output_days: 7, once_key_days: 7 },
  alarms: {},
  log: { level: 'info', format: 'auto' },
} as const
