import { Command } from 'commander'
import type { EventView } from '../../domain/event-view.ts'
import { type Runtime, withExamples } from '../runtime.ts'
import { renderTable } from '../table.ts'
import type { Terminal } from '../terminal.ts'
import { showDuration, showInstant } from '../times.ts'
import { looksWithBackend } from '../watching.ts'

export function createTimelineCommand(runtime: Runtime): Command {
  const command = new Command('timeline').description('everything that happened to a job').argument('<id>')
  withExamples(command, ['interlock job timeline d1024', 'interlock job timeline d1024 --json'])
  return looksWithBackend(command, runtime, async (call, backend) => {
    const events = await backend.timeline(call.argument(0))
    call.show(events, () => renderTimeline(events, call.terminal))
    return undefined
  })
}

function renderTimeline(events: readonly EventView[], terminal: Terminal): string {
  let before: string | null = null
  const rows = events.map((event) => {
    const since = before === null ? '' : `+${showDuration(secondsBetween(before, event.created_at))}`
    before = event.created_at
    const by = event.actor ?? event.agent_id ?? ''
    return [
      showInstant(event.created_at),
      since,
      event.event_type,
      changeOf(event),
      by,
      event.conflict_reason ?? event.resources?.join(' ') ?? '',
    ]
  })
  return renderTable(
    [
      { title: 'TIME', narrow: 'keep' },
      { title: '', align: 'right', narrow: 'keep' },
      { title: 'EVENT', narrow: 'keep' },
      { title: 'STATUS', narrow: 'keep' },
      { title: 'BY' },
      { title: 'WHY', narrow: 'wrap' },
    ],
    rows,
    terminal,
  )
}

function changeOf({ from_status: from, to_status: to }: EventView): string {
  return from === to ? '' : (to ?? '')
}

function secondsBetween(from: string, to: string): number {
  return (new Date(to).getTime() - new Date(from).getTime()) / 1000
}
