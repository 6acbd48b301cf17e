import { Command, Option } from 'commander'
import { type Runtime, runsWithBackend, withExamples } from '../runtime.ts'
import { renderDetails } from '../table.ts'
import { showTime } from '../times.ts'
import { wholeNumber } from './serve.ts'

const timesAtMost = 100

export function createScheduleShowCommand(runtime: Runtime): Command {
  const command = new Command('show').description('one schedule, whole').argument('<name>', 'its name')
  withExamples(command, ['interlock schedule show nightly'])
  return runsWithBackend(command, runtime, async (call, backend) => {
    const schedule = await backend.schedules.show(call.argument(0), 5)
    call.show(schedule, () =>
      renderDetails(
        [
          ['schedule', schedule.name],
          ['cron', `${schedule.cron} in ${schedule.time_zone}`],
          ['missed', schedule.missed === 'all' ? `all, at most ${schedule.missed_limit}` : schedule.missed],
          ['state', schedule.is_paused ? call.terminal.paint('yellow', 'paused') : 'active'],
          ['next', schedule.next_times.map((time) => showTime(time)).join('\n')],
          ['last slot', showTime(schedule.last_at)],
          ['last job', schedule.last_job_id],
          ['problem', schedule.last_problem],
          ['job', JSON.stringify(schedule.job, null, 2)],
        ],
        call.terminal,
      ),
    )
    return undefined
  })
}

export function createScheduleNextCommand(runtime: Runtime): Command {
  const command = new Command('next')
    .description('when a schedule comes next')
    .argument('<name>', 'its name')
    .addOption(
      new Option('--times <number>', 'how many').argParser(wholeNumber({ least: 1, most: timesAtMost })).default(5),
    )
  withExamples(command, ['interlock schedule next nightly', 'interlock schedule next nightly --times 20 --json'])
  return runsWithBackend<{ readonly times: number }>(command, runtime, async (call, backend) => {
    const {
      next_times: times,
      time_zone: zone,
      is_paused: isPaused,
    } = await backend.schedules.show(call.argument(0), call.options.times)
    if (isPaused) call.terminal.note('it is paused: nothing comes until it is resumed')
    call.show(times, () => times.map((time) => `${time}  ${inZone(time, zone)}`).join('\n'))
    return undefined
  })
}

/** As the clock of its own zone shows it. */
function inZone(time: string, timeZone: string): string {
  return new Intl.DateTimeFormat('en-GB', { timeZone, dateStyle: 'full', timeStyle: 'long' }).format(new Date(time))
}
