import { expect, test } from 'vitest'
import { judgeBackpressure } from '../../src/domain/backpressure.ts'
import { queueHealth } from '../../src/domain/queue-health.ts'
import { type QueueSnapshot, queueStatus } from '../../src/domain/queue-status.ts'

const snapshot: QueueSnapshot = {
  taken_at: '2027-01-01T00:01:00.500+00:00',
  is_estimated: false,
  counts: [],
  pending: {},
  oldest_queued_at: null,
  active_jobs: [],
  queued_jobs: [],
  slots_used: 0,
  by_user: {},
  users_active: 0,
  user_locks: 0,
  user_lock_details: [],
  startable_lanes: 0,
  backlog: [],
  agents: { total: 1, idle: 1, busy: 0, suspended: 0, draining: 0, overloaded: 0, slots: 4, room: 4 },
}
const counted = { count: 5, isEstimated: false }

test('counts are added up by state, and pending jobs by priority have every name', () => {
  const status = queueStatus(
    {
      ...snapshot,
      counts: [
        { queue: 'high', status: 'pending', count: 2 },
        { queue: 'low', status: 'pending', count: 3 },
        { queue: 'low', status: 'running', count: 1 },
      ],
      pending: { critical: 2, low: 3 },
      oldest_queued_at: '2027-01-01T00:00:00+00:00',
    },
    100,
  )
  expect(status.counts_by_status).toEqual({ pending: 5, running: 1 })
  expect(status.pending).toEqual({ critical: 2, high: 0, normal: 0, low: 3, total: 5 })
  expect(status.queue_length).toBe(5)
  expect(status.oldest_wait_seconds).toBe(60.5)
  expect(status.is_cut.queued_jobs).toBe(true)
})

test('there is no pressure while an agent has room, or while all that waits is blocked', () => {
  expect(judgeBackpressure({ startableLanes: 500, waitingJobs: 500, slotsUsed: 3, slots: 4 }).is_detected).toBe(false)
  expect(judgeBackpressure({ startableLanes: 0, waitingJobs: 1e6, slotsUsed: 4, slots: 4 }).is_detected).toBe(false)
  expect(judgeBackpressure({ startableLanes: 0, waitingJobs: 0, slotsUsed: 0, slots: 0 }).is_detected).toBe(false)
})

test('slots that no agent may use at its load are no room', () => {
  const load = { startableLanes: 12, waitingJobs: 12, slotsUsed: 1, slots: 4, room: 0 }
  expect(judgeBackpressure(load)).toEqual({
    is_detected: true,
    level: 'high',
    reasons: ['no agent may take more at its load (1 of 4 slots are in use), and 12 lines of jobs wait for one'],
  })
})

test.each([
  [3, 'low', false],
  [4, 'moderate', true],
  [12, 'high', true],
  [40, 'critical', true],
] as const)('%i startable lines before four full slots are %s', (startableLanes, level, isDetected) => {
  expect(judgeBackpressure({ startableLanes, waitingJobs: 100, slotsUsed: 4, slots: 4 })).toMatchObject({
    level,
    is_detected: isDetected,
  })
})

test('health is the worst of its reasons', () => {
  const counts = (pending: number, failed: number): QueueSnapshot['counts'] => [
    { queue: 'default', status: 'pending', count: pending },
    { queue: 'default', status: 'scheduled', count: 1 },
    { queue: 'default', status: 'failed', count: failed },
  ]
  const without = { ...snapshot.agents, total: 0, slots: 0 }
  expect(queueHealth({ ...snapshot, counts: counts(0, 10) }, counted)).toMatchObject({
    status: 'healthy',
    pending_jobs: 1,
    total_jobs: 16,
  })
  expect(queueHealth({ ...snapshot, counts: counts(0, 11) }, counted)).toMatchObject({
    status: 'degraded',
    reasons: [{ code: 'dead_letters' }],
  })
  expect(queueHealth({ ...snapshot, counts: counts(3, 11), agents: without }, counted)).toMatchObject({
    status: 'unhealthy',
    reasons: [{ code: 'no_agents' }, { code: 'dead_letters' }],
  })
  expect(queueHealth({ ...snapshot, counts: counts(0, 0), agents: without }, counted).status).toBe('healthy')
  const full = { ...snapshot.agents, idle: 0, busy: 1, room: 0 }
  const pressed = { ...snapshot, counts: counts(9, 0), agents: full, slots_used: 4, startable_lanes: 9 }
  expect(queueHealth(pressed, counted)).toMatchObject({
    status: 'degraded',
    reasons: [{ code: 'backpressure' }],
  })
})
