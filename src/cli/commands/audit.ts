import { Command, Option } from 'commander'
import type { AuditFilter, AuditView } from '../../security/audit-view.ts'
import { type Runtime, runsWithBackend, withExamples } from '../runtime.ts'
import { renderTable } from '../table.ts'
import type { Terminal } from '../terminal.ts'
import { showTime } from '../times.ts'
import { wholeNumber } from './serve.ts'

/** `audit`: who asked for what. */
export function addAuditCommand(program: Command, runtime: Runtime): void {
  const group = new Command('audit').description('who asked for what, and who was not permitted')
  withExamples(group, ['interlock audit list --actor ann', 'interlock audit list --outcome refused --json'])
  group.addCommand(createAuditListCommand(runtime))
  program.addCommand(group)
}

function createAuditListCommand(runtime: Runtime): Command {
  const command = new Command('list')
    .description('what operators and administrators asked for at a door, and what was refused; the newest first')
    .addOption(new Option('--actor <name>', 'only what this one asked for'))
    .addOption(new Option('--key <id>', 'only what was asked for with this key'))
    .addOption(new Option('--operation <name>', 'only this, as "POST /jobs/:id/cancel" or create_key'))
    .addOption(new Option('--subject <id>', 'only what was about this job, queue, key …'))
    .addOption(new Option('--outcome <outcome>', 'only what ended so').choices(['done', 'refused', 'failed']))
    .addOption(
      new Option('--limit <number>', 'at most so many').argParser(wholeNumber({ least: 1, most: 1000 })).default(100),
    )
  withExamples(command, ['interlock audit list --limit 20', 'interlock audit list --subject a1'])
  return runsWithBackend<AuditFilter & { readonly limit: number }>(command, runtime, async (call, backend) => {
    const { actor, key, operation, subject, outcome, limit } = call.options
    const { lines } = await backend.keys.audit({ actor, key, operation, subject, outcome }, limit)
    call.show(lines, () => renderAudit(lines, call.terminal))
    return undefined
  })
}

function renderAudit(lines: readonly AuditView[], terminal: Terminal): string {
  if (lines.length === 0) return 'nothing was asked for'
  return renderTable(
    [
      { title: 'TIME', narrow: 'keep' },
      { title: 'BY' },
      { title: 'OPERATION', narrow: 'wrap' },
      { title: 'ABOUT' },
      { title: 'OUTCOME', narrow: 'keep' },
      { title: 'WHY', narrow: 'wrap' },
    ],
    lines.map(({ at, actor, operation, subject, outcome, code, reason }) => [
      showTime(at) ?? '',
      actor,
      operation,
      subject ?? '',
      outcome === 'done' ? (code ?? outcome) : terminal.paint('red', code ?? outcome),
      reason ?? '',
    ]),
    terminal,
  )
}
