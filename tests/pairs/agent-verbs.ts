// The verbs of the agent that holds the subject, and of who gives it up.

import {
  drainAgent,
  endAgent,
  heartbeatAgent,
  registerAgent,
  resumeAgent,
  suspendAgent,
  sweepAgent,
} from '../commands/agent-rules.ts'
import { agentIs, always, held, holdingX, ifAlive, ifProcess, type PairVerb, released, when } from './standing.ts'
import { claimOf } from './subjects.ts'

export const agentVerbs: readonly PairVerb[] = [
  {
    name: 'register_agent',
    scenes: ['running'],
    lockScenes: ['locked'],
    call: () =>
      registerAgent({ name: 'worker', queues: ['default'], levels: ['autonomous'], slots: 100, leaseSeconds: 600 }),
    outcome: always,
    after: (standing) => (standing.agent === 'gone' ? standing : agentIs('lost')(standing)),
  },
  {
    name: 'heartbeat_agent',
    scenes: ['running'],
    lockScenes: ['locked'],
    call: (subject) => heartbeatAgent(subject.agent, [claimOf(subject)]),
    outcome: ifProcess(ifAlive),
  },
  {
    name: 'drain_agent',
    scenes: ['running'],
    lockScenes: ['locked'],
    call: ({ agent }) => drainAgent(agent),
    outcome: ifProcess(ifAlive),
    after: agentIs('draining'),
  },
  {
    name: 'suspend_agent',
    scenes: ['running'],
    lockScenes: ['locked'],
    call: ({ agent }) => suspendAgent(agent),
    outcome: ifProcess(ifAlive),
    after: (standing) => (standing.agent === 'alive' ? agentIs('suspended')(standing) : standing),
  },
  {
    name: 'resume_agent',
    scenes: ['suspended'],
    call: ({ agent }) => resumeAgent(agent),
    outcome: ifProcess(ifAlive),
    after: (standing) => (standing.agent === 'suspended' ? agentIs('alive')(standing) : standing),
  },
  {
    name: 'end_agent',
    scenes: ['running'],
    lockScenes: ['locked'],
    call: ({ agent }) => endAgent(agent),
    outcome: ifProcess(({ agent, job }) =>
      when(agent !== 'gone' && [...held, ...holdingX].includes(job), 'has nothing to do'),
    ),
    alwaysChanges: true,
    after: (standing) => agentIs('gone')(released(standing)),
  },
  {
    name: 'sweep_agent',
    scenes: ['lost'],
    lockScenes: ['lapsed'],
    call: ({ agent }) => sweepAgent(agent),
    outcome: ifProcess(({ job, agent }) => when(agent === 'lost' && job === 'lost', 'has nothing to do')),
    after: (standing) => agentIs('gone')(released(standing)),
  },
]
