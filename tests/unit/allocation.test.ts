import { describe, expect, test } from 'vitest'
import { type AllocatedAgent, allocate, type UnservedRoute } from '../../src/domain/allocation.ts'
import type { QueueSnapshot } from '../../src/domain/queue-status.ts'

const policy = {
  ...{ cpu_weight: 40, memory_weight: 35, queue_weight: 25, moderate_from: 40, high_from: 60, critical_from: 80 },
  max_utilisation: 80,
}

const agent = (id: string, figures: Partial<AllocatedAgent> = {}): AllocatedAgent => ({
  ...{ id, state: 'active', slots: 4, slots_open: 4, active_jobs: 0, is_late: false, queues: ['default'] },
  ...{ load_score: 10, load_level: 'low' },
  ...figures,
})

function judge(
  agents: readonly AllocatedAgent[],
  pending: number,
  startable: number,
  queue = 'default',
  unserved: readonly UnservedRoute[] = [],
) {
  const used = agents.reduce((sum, { active_jobs: jobs }) => sum + jobs, 0)
  const counts = [{ queue, status: 'pending' as const, count: pending }]
  const snapshot = { taken_at: '', counts, slots_used: used, startable_lanes: startable } as unknown as QueueSnapshot
  return allocate({ agents, snapshot, policy, unserved })
}

const full = { active_jobs: 4 }

describe('allocate', () => {
  test('scales out by as many agents as the lines that wait for a slot fill, at most as many as there are', () => {
    const two = [agent('a.1', full), agent('b.2', full)]
    expect(judge(two, 30, 8).recommendation).toEqual({
      action: 'scale_out',
      agents: 2,
      reasons: ['all 8 slots are in use and 8 lines of jobs wait for one'],
      drain: [],
    })
    expect(judge(two, 1000, 1000).recommendation.agents).toBe(2)
    expect(judge(two, 1000, 1000).backpressure.level).toBe('critical')
  })

  test('scales out where a queue with waiting jobs has no agent, or only suspended ones', () => {
    expect(judge([], 3, 3).recommendation).toMatchObject({
      action: 'scale_out',
      reasons: ['3 jobs wait in queue default, which no agent serves'],
    })
    expect(judge([agent('a.1')], 1, 1, 'gpu').recommendation.reasons).toEqual([
      '1 job waits in queue gpu, which no agent serves',
    ])
    expect(judge([agent('a.1', { state: 'suspended' })], 1, 1).recommendation.reasons).toEqual([
      '1 job waits in queue default, which only suspended agents serve: resume one',
    ])
  })

  test('scales out where no agent is allowed the permission level of what waits, though it has room', () => {
    const level = { queue: 'default', permission_level: 'supervised', is_suspended_only: false }
    expect(judge([agent('a.1')], 1, 1, 'default', [level]).recommendation).toMatchObject({
      action: 'scale_out',
      reasons: [
        'jobs of the permission level supervised wait in queue default, which no live agent of that queue may take: start one that is allowed it (agent.permission_levels)',
      ],
    })
    const suspended = [{ ...level, is_suspended_only: true }]
    expect(judge([agent('a.1')], 1, 1, 'default', suspended).recommendation.reasons[0]).toContain('resume one')
    // That the queue has no agent at all says it already.
    expect(judge([], 1, 1, 'default', [level]).recommendation.reasons).toHaveLength(1)
  })

  test('scales out where slots are free and no agent may use them at its load', () => {
    const loaded = { load_score: 85, load_level: 'critical' as const, slots_open: 0, active_jobs: 1 }
    const { recommendation, agents } = judge([agent('a.1', loaded)], 9, 9)
    expect(recommendation.action).toBe('scale_out')
    expect(recommendation.reasons).toEqual([
      'no agent may take more at its load (1 of 4 slots are in use), and 9 lines of jobs wait for one',
      '1 agent has free slots, but no room below the ceiling of 80 %',
      'the average load is 85, high from 60 on',
    ])
    expect(agents).toMatchObject([{ room: 0, why_none: 'its load is 85, the ceiling 80' }])
  })

  test('scales in the idle ones whose queues others serve, as long as twice what is used is left', () => {
    const busy = agent('busy.1', { active_jobs: 2 })
    const idle = [agent('a.2', { load_score: 20 }), agent('b.3'), agent('only.4', { queues: ['gpu'] })]
    expect(judge([busy, ...idle], 0, 0).recommendation).toEqual({
      action: 'scale_in',
      agents: 2,
      reasons: ['nothing waits, 2 agents are idle, and of the 8 slots of the others at most half are in use'],
      drain: ['a.2', 'b.3'],
    })
    expect(judge([busy, ...idle], 1, 0).recommendation.action).toBe('keep')
    expect(judge([agent('a.2')], 0, 0).recommendation.action).toBe('keep')
  })

  test('keeps, and says why, where what waits is blocked or has room', () => {
    expect(judge([agent('a.1', full)], 500, 0).recommendation.reasons).toEqual([
      '500 jobs wait, all of them for what others hold',
    ])
    expect(judge([agent('a.1')], 2, 2).recommendation.reasons).toEqual(['the agents have room for 4 more jobs'])
  })

  test('lists the agents in the order in which they are given jobs, and of the others why not', () => {
    const agents = [
      agent('full.1', { ...full, load_score: 1 }),
      agent('more.2', { load_score: 30 }),
      agent('less.3', { load_score: 5 }),
      agent('held.4', { state: 'suspended' }),
      agent('late.5', { is_late: true }),
    ]
    const { agents: order, cluster } = judge(agents, 0, 0)
    expect(order.map(({ id, why_none: why }) => [id, why])).toEqual([
      ['less.3', null],
      ['more.2', null],
      ['full.1', 'all its slots are in use'],
      ['held.4', 'it is suspended'],
      ['late.5', 'its lease is over'],
    ])
    expect(cluster).toMatchObject({
      agents: { total: 4, idle: 2, busy: 1, suspended: 1, slots: 16, room: 8 },
      utilisation_percent: 25,
      load: { average: 12, lowest: 1, highest: 30 },
    })
  })
})
