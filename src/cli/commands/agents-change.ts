import { Command, Option } from 'commander'
import type { AgentView } from '../../domain/agent-view.ts'
import { InterlockError } from '../../domain/errors.ts'
import type { AgentChange, Backend } from '../backend.ts'
import { type Runtime, runsWithBackend, withExamples } from '../runtime.ts'

interface ChangeOptions {
  readonly reason?: string
  readonly dryRun?: boolean
}

const descriptions: Readonly<Record<AgentChange, string>> = {
  drain: 'let an agent finish what it holds and claim no more',
  suspend: 'the same, until it is resumed; whoever registers under its name meanwhile is suspended, too',
  resume: 'let a suspended agent claim again',
}

const become: Readonly<Record<AgentChange, Readonly<Record<string, string>>>> = {
  drain: { active: 'draining', suspended: 'draining' },
  suspend: { active: 'suspended' },
  resume: { suspended: 'active' },
}

/** `agents drain`, `agents suspend`, `agents resume`: one shape, three verbs. */
export function createAgentChangeCommand(runtime: Runtime, change: AgentChange): Command {
  const command = new Command(change)
    .description(descriptions[change])
    .argument('<agent>', 'its name, or the id of one registration (gpu-1.12)')
    .addOption(new Option('--reason <text>', 'why, for the log'))
    .addOption(new Option('--dry-run', 'show what would change, and change nothing'))
  withExamples(command, [`interlock agents ${change} gpu-1`, `interlock agents ${change} gpu-1 --dry-run`])
  return runsWithBackend<ChangeOptions>(command, runtime, async (call, backend) => {
    const agent = await findAgent(backend, call.argument(0))
    if (call.options.dryRun === true) {
      const to = become[change][agent.state] ?? agent.state
      call.show({ dry_run: true, agent_id: agent.id, from: agent.state, to, active_jobs: agent.active_jobs }, () =>
        [`would ${change} ${agent.id}: ${agent.state} -> ${to}`, holding(agent.active_jobs)].join(''),
      )
      return undefined
    }
    const changed = await backend.changeAgent(agent.id, change, call.options.reason ?? null)
    call.show({ agent_id: agent.id, ...changed }, () => `${agent.id} ${changed.state}${holding(changed.active_jobs)}`)
    return undefined
  })
}

function holding(jobs: number): string {
  if (jobs === 0) return ''
  return `, holds ${jobs} ${jobs === 1 ? 'job' : 'jobs'}`
}

/** By its id, or by its name: then the latest registration. */
async function findAgent(backend: Backend, wanted: string): Promise<AgentView> {
  const { agents } = await backend.agents()
  const byName = agents.filter(({ id }) => id.slice(0, id.lastIndexOf('.')) === wanted)
  const found = agents.find(({ id }) => id === wanted) ?? byName.toSorted(byIncarnation).at(-1)
  if (found !== undefined) return found
  throw new InterlockError('agent_not_active', `no agent ${wanted} lives`, {
    hint: 'interlock agents status lists them.',
  })
}

function byIncarnation(one: AgentView, other: AgentView): number {
  const numberOf = ({ id }: AgentView) => Number(id.slice(id.lastIndexOf('.') + 1))
  return numberOf(one) - numberOf(other)
}
