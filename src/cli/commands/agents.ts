import { Command, Option } from 'commander'
import type { AgentView } from '../../client/views.ts'
import { type Runtime, runsWithBackend, withExamples } from '../runtime.ts'
import { renderTable } from '../table.ts'
import type { Paint, Terminal } from '../terminal.ts'
import { showSince } from '../times.ts'

const sortKeys = ['name', 'load', 'jobs', 'heartbeat'] as const
type SortKey = (typeof sortKeys)[number]

interface StatusOptions {
  readonly sortBy: SortKey
}

/** `agents status`: who runs jobs, how loaded, when last heard of. */
export function addAgentsCommand(program: Command, runtime: Runtime): void {
  const group = program.command('agents').description('the processes that run jobs')
  withExamples(group, ['interlock agents status --sort-by load'])
  const command = new Command('status')
    .description('each agent with its slots, its load and its last heartbeat')
    .addOption(new Option('--sort-by <key>', 'the order of the rows').choices(sortKeys).default('name'))
  withExamples(command, ['interlock agents status', 'interlock agents status --sort-by load --json'])
  runsWithBackend<StatusOptions>(command, runtime, async (call, backend) => {
    const agents = (await backend.agents()).toSorted(compare[call.options.sortBy])
    call.show(agents, () => renderAgents(agents, call.terminal))
    return undefined
  })
  group.addCommand(command)
}

const compare: Readonly<Record<SortKey, (one: AgentView, other: AgentView) => number>> = {
  name: (one, other) => one.id.localeCompare(other.id),
  load: (one, other) => other.load_score - one.load_score,
  jobs: (one, other) => other.active_jobs - one.active_jobs,
  heartbeat: (one, other) => one.last_heartbeat_at.localeCompare(other.last_heartbeat_at),
}

const levelPaint: Readonly<Record<string, Paint>> = { moderate: 'yellow', high: 'red', critical: 'red' }

function renderAgents(agents: readonly AgentView[], terminal: Terminal): string {
  if (agents.length === 0) return 'no agents'
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

function showLoad(agent: AgentView, terminal: Terminal): string {
  const text = `${Math.round(agent.load_score)} ${agent.load_level}`
  const paint = levelPaint[agent.load_level]
  return paint === undefined ? text : terminal.paint(paint, text)
}

function showPercent(percent: number | null): string {
  return percent === null ? '' : `${Math.round(percent)} %`
}
