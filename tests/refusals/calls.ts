import type { Scene } from './scene.ts'

/** By argument, as SQL expressions: a call that is right. */
export type Call = Readonly<Record<string, string>>

const text = (value: string | number): string => `'${value}'`

/** A right call of every verb. One that is missing here fails the test that looks for it. */
export function rightCalls({ agent, running, lane, lock }: Scene): Readonly<Record<string, Call>> {
  const holder = { p_job_id: text(running.id), p_token: String(running.token) }
  const holders = { p_job_ids: `'{${running.id}}'`, p_tokens: `'{${running.token}}'` }
  const actor = { p_actor: text('the test') }
  const motive = { p_reason: text('why not'), ...actor }
  const limit = { p_limit: '10' }
  return {
    absorb_touches: limit,
    acquire_lock: {
      p_resources: `'{door:2}'`,
      p_owner: text('cy'),
      p_lease_seconds: '60',
      p_wait_seconds: '30',
      p_priority: '2',
      ...motive,
    },
    agents_with_room: { p_route: text('default/autonomous') },
    append_output: { ...holder, p_chunks: `'[{"stream": "stdout", "lines": "a line"}]'` },
    cancel_job: { p_job_id: text('waiting'), ...motive },
    claim_jobs: { p_agent_id: text(agent), p_routes: `'{default/autonomous}'`, p_limit: '1' },
    claim_lane: { p_agent_id: text(agent), p_lane_id: text(lane) },
    collect_idle: { p_after_lane: text('00000000-0000-0000-0000-000000000000'), p_after_resource: text(''), ...limit },
    complete_jobs: { ...holders, p_results: `array['{"done": true}']::jsonb[]` },
    confirm_cancel: { ...holder, p_error: `'{"message": "stopped"}'` },
    delete_job: { p_job_id: text('waiting'), ...motive },
    drain_agent: { p_agent_id: text(agent), ...actor },
    due_rates: limit,
    end_agent: { p_agent_id: text(agent), p_reason: text('stopped') },
    enqueue_jobs: { p_jobs: `'[{"task": "work"}]'`, ...actor },
    enqueue_once: { p_key: text('a-key'), p_jobs: `'[{"task": "work"}]'`, ...actor },
    ensure_partitions: { p_table: text('job_queue_log'), p_days_ahead: '7' },
    expire_jobs: limit,
    expire_locks: limit,
    explain_job: { p_job_id: text('waiting') },
    extend_lock: { p_lock_id: text(lock.id), p_token: String(lock.token), p_lease_seconds: '60' },
    fail_job: { ...holder, p_error: `'{"message": "boom"}'`, p_retry: text('auto') },
    heartbeat_agent: { p_agent_id: text(agent), ...holders, p_load: `'{"cpu_percent": 5}'` },
    list_assignments: { p_agent_id: text(agent) },
    lost_agents: {},
    neglected_routes: {},
    old_snapshots: { p_seconds: '60' },
    pause_resource: { p_resource: text('model:flux'), p_paused: 'true', ...actor },
    poll_lock: { p_lock_id: text(lock.id), p_owner: text('cy') },
    promote_due_jobs: limit,
    prune_history: { p_log_days: '7', p_history_days: '365', ...limit },
    queue_snapshot: { p_list_limit: '100', p_count_limit: '10000' },
    raise_after_restore: { p_above: '0', ...actor },
    register_agent: {
      p_name: text('another'),
      p_queues: `'{default}'`,
      p_slots: '4',
      p_tasks: 'null',
      p_permission_levels: `'{autonomous}'`,
      p_host: text('here'),
      p_pid: '1',
      p_lease_seconds: '15',
      p_liveness: text('lease'),
    },
    release_lock: { p_lock_id: text(lock.id), p_token: String(lock.token), ...motive },
    release_resource: { p_resource: text('door:1'), p_job_id: 'null', ...motive },
    remove_limit: { p_pattern: text('model:flux'), ...actor },
    report_progress: { ...holder, p_percent: '50', p_description: text('half') },
    requeue_job: { p_job_id: text('dead'), ...motive },
    return_jobs: { ...holders, p_reason: text('why not') },
    set_limit: {
      p_pattern: text('model:flux'),
      p_capacity: '2',
      p_paused: 'false',
      ...actor,
      p_starts_per_minute: '5',
    },
    set_priority: { p_job_id: text('waiting'), p_priority: '1', ...actor },
    set_queue: { p_name: text('default'), p_settings: `'{"max_attempts": 2}'`, ...actor },
    start_jobs: holders,
    start_paused_job: { p_job_id: text('paused'), ...actor },
    stop_reserving: { p_lane_id: text(lane) },
    stuck_claims: limit,
    stuck_jobs: {},
    sweep_agent: { p_agent_id: text(agent) },
    sweep_locks: { p_older_than_seconds: '3600', p_dry_run: 'false', ...actor },
    unserved_reservers: limit,
    wake_patient_lanes: { p_after: text(''), ...limit },
    wake_rate: { p_resource: text('rate:model:flux') },
  }
}
