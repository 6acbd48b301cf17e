import { Command, Option } from 'commander'
import type { AgentCounts } from '../../domain/agent-counts.ts'
import type { AgentView } from '../../domain/agent-view.ts'
import { type Runtime, withExamples } from '../runtime.ts'
import { renderTable } from '../table.ts'
import type { Paint, Terminal } from '../terminal.ts'
import { showSince } from '../times.ts'
import { looksWithBackend } from '../watching.ts'

const sortKeys = ['name', 'load', 'jobs', 'cpu', 'memory', 'heartbeat'] as const
type SortKey = (typeof sortKeys)[number]

interface StatusOptions {
  readonly sortBy: SortKey
}

export function createAgentStatusCommand(runtime: Runtime): Command {
  const command = new Command('status')
    .description('each agent with its slots, its load and its last heartbeat')
    .addOption(new Option('--sort-by <key>', 'the order of the rows').choices(sortKeys).default('name'))
  withExamples(command, ['interlock agents status', 'interlock agents status --sort-by load --json'])
  return looksWithBackend<StatusOptions>(command, runtime, async (call, backend) => {
    const { agents: unsorted, counts } = await backend.agents()
    const agents = unsorted.toSorted(compare[call.options.sortBy])
    call.show({ agents, counts }, () =>
      agents.length === 0 ? 'no agents' : `${renderAgents(agents, call.terminal)}\n\n${renderCounts(counts)}`,
    )
    return undefined
  })
}

const compare: Readonly<Record<SortKey, (one: AgentView, other: AgentView) => number>> = {
  name: (one, other) => one.id.localeCompare(other.id),
  load: (one, other) => other.load_score - one.load_score,
  jobs: (one, other) => other.active_jobs - one.active_jobs,
  cpu: (one, other) => (other.cpu_percent ?? 0) - (one.cpu_percent ?? 0),
  memory: (one, other) => (other.memory_percent ?? 0) - (one.memory_percent ?? 0),
  heartbeat: (one, other) => one.last_heartbeat_at.localeCompare(other.last_heartbeat_at),
}

const levelPaint: Readonly<Record<string, Paint>> = { moderate: 'yellow', high: 'red', critical: 'red' }

function renderAgents(agents: readonly AgentView[], terminal: Terminal): string {
  return renderTable(
    [
      { title: 'AGENT', narrow: 'keep' },
      { title: 'STATE', narrow: 'keep' },
      { title: 'JOBS', align: 'right', narrow: 'keep' },
      { title: 'LOAD', narrow: 'keep' },
      { title: 'CPU', align: 'right', narrow: 'keep' },
      { title: 'MEM', align: 'right', narrow: 'keep' },
      { title: 'HEARD', align: 'right', narrow: 'keep' },
      { title: 'QUEUES' },
      { title: 'HOST' },
    ],
    agents.map((agent) => [
      agent.id,
      agent.state,
      `${agent.active_jobs}/${agent.slots}`,
      showLoad(agent, terminal),
      showPercent(agent.cpu_percent),
      showPercent(agent.memory_percent),
      `${showSince(agent.last_heartbeat_at)}`,
      agent.queues.join(' '),
      agent.host ?? '',
    ]),
    terminal,
  )
}

/** `10 agents: 3 idle, 6 busy, 1 suspended; room for 12 more jobs` */
export function renderCounts({ total, idle, busy, suspended, draining, overloaded, room }: AgentCounts): string {
  const states = Object.entries({ idle, busy, suspended, draining, overloaded })
  const shown = states.filter(([state, count]) => count > 0 || ['idle', 'busy', 'suspended'].includes(state))
  const words = shown.map(([state, count]) => `${count} ${state}`).join(', ')
  return `${total} ${total === 1 ? 'agent' : 'agents'}: ${words}; room for ${room} more ${room === 1 ? 'job' : 'jobs'}`
}

function showLoad(agent: AgentView, terminal: Terminal): string {
  const text = `${Math.round(agent.load_score)} ${agent.load_level}`
  const paint = levelPaint[agent.load_level]
  return paint === undefined ? text : terminal.paint(paint, text)
}

function showPercent(percent: number | null): string {
  return percent === null ? '' : `${Math.round(percent)} %`
}
