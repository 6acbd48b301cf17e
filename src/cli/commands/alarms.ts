import { Command } from 'commander'
import type { AlarmView } from '../../domain/alarm.ts'
import { type Runtime, withExamples } from '../runtime.ts'
import { renderTable } from '../table.ts'
import type { Terminal } from '../terminal.ts'
import { showSince } from '../times.ts'
import { looksWithBackend } from '../watching.ts'

/** `alarms`: what is alarming now. */
export function addAlarmsCommand(program: Command, runtime: Runtime): void {
  const group = new Command('alarms').description('what is alarming')
  withExamples(group, ['interlock alarms list'])
  group.addCommand(createListCommand(runtime))
  program.addCommand(group)
}

function createListCommand(runtime: Runtime): Command {
  const command = new Command('list').description('the alarms that were raised and are not over, the latest first')
  withExamples(command, ['interlock alarms list', 'interlock alarms list --json'])
  return looksWithBackend(command, runtime, async (call, backend) => {
    const alarms = await backend.alarms()
    call.show(alarms, () => renderAlarms(alarms, call.terminal))
    return undefined
  })
}

function renderAlarms(alarms: readonly AlarmView[], terminal: Terminal): string {
  if (alarms.length === 0) return 'nothing is alarming'
  return renderTable(
    [
      { title: 'ALARM', narrow: 'keep' },
      { title: 'OF', narrow: 'keep' },
      { title: 'SINCE', align: 'right', narrow: 'keep' },
      { title: 'WHAT', narrow: 'wrap' },
    ],
    alarms.map(({ rule, subject, raised_at: since, message }) => [
      terminal.paint('red', rule),
      subject === '' ? 'database' : subject,
      showSince(since) ?? '',
      message,
    ]),
    terminal,
  )
}
