import type { LogEvent } from '../../scripts/demo/history.ts'

/** A log written by hand, in the words of the verbs, for what reads logs. */
export interface DemoLog {
  readonly events: LogEvent[]
  registerAgent(agentId: string, slots: number, queues: readonly string[], atMs: number): DemoLog
  enqueue(jobId: string, atMs: number): DemoLog
  block(jobId: string, atMs: number, on: { resource?: unknown; by?: string | null; reason?: string | null }): DemoLog
  claim(jobId: string, resources: readonly string[], atMs: number, agentId?: string): DemoLog
  /** completed, failed, retried, lost, returned. */
  end(jobId: string, type: string, atMs: number, reason?: string): DemoLog
  /** A scheduled job is due. */
  due(jobId: string, atMs: number): DemoLog
}

const endStates: Readonly<Record<string, string>> = { retried: 'scheduled', lost: 'pending', returned: 'pending' }

export function demoLog(): DemoLog {
  const events: LogEvent[] = []
  const tokens = new Map<string, number>()
  const agents = new Map<string, string>()
  let token = 100
  const add = (type: string, atMs: number, event: Partial<LogEvent>): DemoLog => {
    events.push({
      id: events.length + 1,
      atMs,
      type,
      jobId: null,
      from: null,
      to: null,
      token: null,
      agentId: null,
      reason: null,
      resources: null,
      details: null,
      ...event,
    })
    return log
  }
  const log: DemoLog = {
    events,
    registerAgent: (agentId, slots, queues, atMs) =>
      add('agent_registered', atMs, { agentId, details: { slots, queues } }),
    enqueue: (jobId, atMs) => add('enqueued', atMs, { jobId, to: 'pending' }),
    block: (jobId, atMs, { resource = 'user:a', by = null, reason = 'User conflict: a in use by normal job x' }) =>
      add('blocked', atMs, {
        jobId,
        from: 'pending',
        to: 'pending',
        reason,
        details: { blocked_on: resource, blocked_by_job_id: by },
      }),
    claim(jobId, resources, atMs, agentId = 'box.1') {
      token += 1
      tokens.set(jobId, token)
      agents.set(jobId, agentId)
      add('assigned', atMs, { jobId, from: 'pending', to: 'assigned', token, agentId, resources })
      return add('started', atMs, { jobId, from: 'assigned', to: 'running', token, agentId })
    },
    end: (jobId, type, atMs, reason) =>
      add(type, atMs, {
        jobId,
        from: 'running',
        to: endStates[type] ?? type,
        token: tokens.get(jobId) ?? null,
        agentId: agents.get(jobId) ?? null,
        reason: reason ?? null,
      }),
    due: (jobId, atMs) =>
      add('due', atMs, { jobId, from: 'scheduled', to: 'pending', token: tokens.get(jobId) ?? null }),
  }
  return log
}
