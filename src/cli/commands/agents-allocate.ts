import { Command } from 'commander'
import type { Allocation } from '../../domain/allocation.ts'
import type { Recommendation } from '../../domain/recommendation.ts'
import { type Runtime, withExamples } from '../runtime.ts'
import { renderTable } from '../table.ts'
import type { Terminal } from '../terminal.ts'
import { looksWithBackend } from '../watching.ts'
import { renderCounts } from './agents-status.ts'

export function createAllocateCommand(runtime: Runtime): Command {
  const command = new Command('allocate').description(
    'who is given the next job, how full the whole is, and whether there should be more agents or fewer',
  )
  withExamples(command, ['interlock agents allocate', 'interlock agents allocate --json'])
  return looksWithBackend(command, runtime, async (call, backend) => {
    const allocation = await backend.allocation()
    call.show(allocation, () => renderAllocation(allocation, call.terminal))
    return undefined
  })
}

function renderAllocation(allocation: Allocation, terminal: Terminal): string {
  const { cluster, backpressure, agents } = allocation
  const figures = [
    renderCounts(cluster.agents),
    `${cluster.slots_used} of ${cluster.agents.slots} slots in use${cluster.utilisation_percent === null ? '' : ` (${cluster.utilisation_percent} %)`}`,
    ...(cluster.load === null
      ? []
      : [`load ${cluster.load.average} on average, ${cluster.load.lowest} to ${cluster.load.highest}`]),
    `${cluster.waiting_jobs} waiting, in ${cluster.startable_lines === 1 ? '1 line' : `${cluster.startable_lines} lines`} that need nothing but an agent`,
    `backpressure ${backpressure.is_detected ? terminal.paint('yellow', backpressure.level) : 'none'}`,
  ]
  const table = agents.length === 0 ? [] : [renderAgents(allocation, terminal)]
  return [figures.join('\n'), renderRecommendation(allocation, terminal), ...table].join('\n\n')
}

function renderRecommendation({ recommendation }: Allocation, terminal: Terminal): string {
  const { reasons, drain } = recommendation
  return [
    terminal.paint('bold', phraseOf(recommendation)),
    ...reasons.map((reason) => `  ${reason}`),
    ...drain.map((id) => `  interlock agents drain ${id}`),
  ].join('\n')
}

export function phraseOf({ action, agents }: Recommendation): string {
  const what = `${agents} ${agents === 1 ? 'agent' : 'agents'}`
  return { scale_out: `Scale out: ${what} more`, scale_in: `Scale in: ${what} fewer`, keep: 'Keep as it is' }[action]
}

function renderAgents({ agents }: Allocation, terminal: Terminal): string {
  return renderTable(
    [
      { title: 'NEXT', align: 'right', narrow: 'keep' },
      { title: 'AGENT', narrow: 'keep' },
      { title: 'LOAD', narrow: 'keep' },
      { title: 'JOBS', align: 'right', narrow: 'keep' },
      { title: 'ROOM', align: 'right', narrow: 'keep' },
      { title: 'WHY NONE', narrow: 'wrap' },
    ],
    agents.map((agent, n) => [
      agent.room > 0 ? String(n + 1) : '',
      agent.id,
      `${Math.round(agent.load_score)} ${agent.load_level}`,
      `${agent.active_jobs}/${agent.slots}`,
      String(agent.room),
      agent.why_none ?? '',
    ]),
    terminal,
  )
}
