import { isDeepStrictEqual } from 'node:util'
import { Command, Option } from 'commander'
import { z } from 'zod'
import { readDocument } from '../../config/document.ts'
import { checkTimetable } from '../../coordinator/timetable.ts'
import { ContractError, checkContract } from '../../domain/contract.ts'
import { isInterlockError } from '../../domain/errors.ts'
import { checkScheduleRequest, type ScheduleRequest, scheduleName } from '../../domain/schedule-request.ts'
import type { ScheduleOutcome, ScheduleView } from '../../domain/schedule-view.ts'
import type { Backend } from '../backend.ts'
import { type Runtime, runsWithBackend, withExamples } from '../runtime.ts'
import { renderTable } from '../table.ts'

interface ApplyOptions {
  readonly dryRun?: boolean
}

interface Applied {
  readonly name: string
  readonly outcome: ScheduleOutcome
  readonly schedule: ScheduleRequest
}

const document = z.strictObject({ schedules: z.record(scheduleName, z.unknown()) })

export function createScheduleApplyCommand(runtime: Runtime): Command {
  const command = new Command('apply')
    .description('make schedules as a file says; those that it does not name stay as they are')
    .argument('<file>', 'TOML or JSON: schedules by name, each with cron, time_zone, job, missed')
    .addOption(new Option('--dry-run', 'check the file, tell what would change, and change nothing'))
  withExamples(command, [
    'interlock schedule apply schedules.toml',
    'interlock schedule apply schedules.json --dry-run',
  ])
  return runsWithBackend<ApplyOptions>(command, runtime, async (call, backend) => {
    const dryRun = call.options.dryRun === true
    const applied: Applied[] = []
    // Everything in the file is checked before the first is written.
    for (const [name, schedule] of readSchedules(call.argument(0))) {
      applied.push({ name, schedule, outcome: outcomeOf(schedule, await find(backend, name)) })
    }
    if (!dryRun) {
      for (const { name, schedule } of applied) await backend.schedules.set(name, schedule)
    }
    call.show({ dry_run: dryRun, schedules: applied.map(({ name, outcome }) => ({ name, outcome })) }, () =>
      renderTable(
        [
          { title: 'SCHEDULE', narrow: 'keep' },
          { title: dryRun ? 'WOULD BE' : 'IS', narrow: 'keep' },
          { title: 'CRON' },
          { title: 'ZONE' },
        ],
        applied.map(({ name, outcome, schedule }) => [name, outcome, schedule.cron, schedule.time_zone]),
        call.terminal,
      ),
    )
    return undefined
  })
}

function readSchedules(file: string): readonly (readonly [string, ScheduleRequest])[] {
  const { schedules } = checkContract(document, readDocument(file))
  return Object.entries(schedules).map(([name, settings]) => {
    try {
      const schedule = checkScheduleRequest(settings)
      checkTimetable({ cron: schedule.cron, timeZone: schedule.time_zone }, new Date())
      return [name, schedule] as const
    } catch (error) {
      if (!(error instanceof ContractError)) throw error
      throw new ContractError(
        error.violations.map((violation) => ({ ...violation, field: `schedules.${name}.${violation.field}` })),
      )
    }
  })
}

async function find(backend: Backend, name: string): Promise<ScheduleView | null> {
  try {
    return await backend.schedules.show(name, 1)
  } catch (error) {
    if (isInterlockError(error, 'schedule_not_found')) return null
    throw error
  }
}

function outcomeOf(wanted: ScheduleRequest, found: ScheduleView | null): ScheduleOutcome {
  if (found === null) return 'created'
  const { cron, time_zone, missed, missed_limit, is_paused, job } = found
  const same = isDeepStrictEqual({ is_paused, ...wanted }, { cron, time_zone, missed, missed_limit, is_paused, job })
  return same ? 'unchanged' : 'changed'
}
