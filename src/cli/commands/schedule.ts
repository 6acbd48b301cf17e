import { Command } from 'commander'
import { type Runtime, withExamples } from '../runtime.ts'
import { createScheduleApplyCommand } from './schedule-apply.ts'
import { createScheduleChangeCommand } from './schedule-change.ts'
import { createScheduleListCommand } from './schedule-list.ts'
import { createScheduleRunCommand } from './schedule-run.ts'
import { createScheduleNextCommand, createScheduleShowCommand } from './schedule-show.ts'

/** `schedule`: jobs that come by the clock. */
export function addScheduleCommand(program: Command, runtime: Runtime): void {
  const group = new Command('schedule').description('jobs that come by the clock')
  withExamples(group, [
    'interlock schedule apply schedules.toml --dry-run   # [schedules.nightly] cron = "30 2 * * *" …',
    'interlock schedule list                             # with the next times of each',
    'interlock schedule next nightly --times 10',
    'interlock schedule run nightly                      # once more, now',
  ])
  group.addCommand(createScheduleApplyCommand(runtime))
  group.addCommand(createScheduleListCommand(runtime))
  group.addCommand(createScheduleShowCommand(runtime))
  group.addCommand(createScheduleNextCommand(runtime))
  group.addCommand(createScheduleRunCommand(runtime))
  group.addCommand(createScheduleChangeCommand(runtime, 'pause'))
  group.addCommand(createScheduleChangeCommand(runtime, 'resume'))
  group.addCommand(createScheduleChangeCommand(runtime, 'delete'))
  program.addCommand(group)
}
