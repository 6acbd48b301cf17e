import { Command } from 'commander'
import type { Explanation, ExplanationLink } from '../../domain/explanation.ts'
import { type Runtime, withExamples } from '../runtime.ts'
import { showSince } from '../times.ts'
import { looksWithBackend } from '../watching.ts'

export function createExplainCommand(runtime: Runtime): Command {
  const command = new Command('explain').description('why is it waiting? who holds what it needs?').argument('<id>')
  withExamples(command, ['interlock job explain d1024'])
  return looksWithBackend(command, runtime, async (call, backend) => {
    const explanation = await backend.explainJob(call.argument(0))
    call.show(explanation, () => renderExplanation(explanation))
    return undefined
  })
}

/** The sentence, then the chain of blockers, each a step further in, down to the one that runs. */
export function renderExplanation({ sentence, chain = [], waits_for: parents = [] }: Explanation): string {
  const waits = parents.map(({ job_id: id, status }) => `  ${id} is ${status}`)
  return [sentence, ...waits, ...chain.map((link, depth) => `${'  '.repeat(depth + 1)}${describeLink(link)}`)].join(
    '\n',
  )
}

function describeLink(link: ExplanationLink): string {
  if (link.job_id == null) return `${link.resource} is ${link.state}`
  const job = [link.job_id, link.task, link.user == null ? null : `of ${link.user}`].filter((word) => word != null)
  const since = link.since == null ? '' : ` for ${showSince(link.since)}`
  const where = link.agent_id == null ? '' : ` on ${link.agent_id}`
  return `${link.resource} is ${link.state}${since} by ${job.join(' ')} (${link.status}${where})`
}
