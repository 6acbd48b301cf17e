import { Command } from 'commander'
import type { ScheduleView } from '../../domain/schedule-view.ts'
import type { Backend } from '../backend.ts'
import { type Runtime, withExamples } from '../runtime.ts'
import { renderTable } from '../table.ts'
import type { Terminal } from '../terminal.ts'
import { showTime } from '../times.ts'
import { looksWithBackend } from '../watching.ts'

export function createScheduleListCommand(runtime: Runtime): Command {
  const command = new Command('list').description('all schedules, when each comes next and what it enqueued last')
  withExamples(command, [
    'interlock schedule list',
    'interlock schedule list --json    # with the next five times of each',
  ])
  return looksWithBackend(command, runtime, async (call, backend) => {
    const schedules = await everySchedule(backend)
    call.show(schedules, () => renderSchedules(schedules, call.terminal))
    return undefined
  })
}

async function everySchedule(backend: Backend): Promise<readonly ScheduleView[]> {
  const found: ScheduleView[] = []
  for (let cursor: string | null = null; ; ) {
    const page = await backend.schedules.list(cursor)
    found.push(...page.schedules)
    if (page.next_cursor === null) return found
    cursor = page.next_cursor
  }
}

function renderSchedules(schedules: readonly ScheduleView[], terminal: Terminal): string {
  if (schedules.length === 0) return 'there are no schedules'
  return renderTable(
    [
      { title: 'SCHEDULE', narrow: 'keep' },
      { title: 'CRON', narrow: 'keep' },
      { title: 'ZONE' },
      { title: 'TASK' },
      { title: 'NEXT', narrow: 'keep' },
      { title: 'LAST JOB' },
    ],
    schedules.map((schedule) => [
      schedule.name,
      schedule.cron,
      schedule.time_zone,
      schedule.job.task,
      nextOf(schedule, terminal),
      schedule.last_problem === null ? (schedule.last_job_id ?? '') : terminal.paint('red', schedule.last_problem),
    ]),
    terminal,
  )
}

function nextOf({ is_paused: isPaused, next_at: nextAt }: ScheduleView, terminal: Terminal): string {
  if (isPaused) return terminal.paint('yellow', 'paused')
  return showTime(nextAt) ?? 'never'
}
