import { Command, Option } from 'commander'
import { type Runtime, runsWithBackend, withExamples } from '../runtime.ts'

type Change = 'pause' | 'resume' | 'delete'

const descriptions: Readonly<Record<Change, string>> = {
  pause: 'let a schedule enqueue nothing until it is resumed',
  resume: 'let a paused schedule go on, from its next time; what it missed is not made up for',
  delete: 'delete a schedule; its jobs stay',
}
const done: Readonly<Record<Change, string>> = { pause: 'paused', resume: 'active', delete: 'deleted' }

export function createScheduleChangeCommand(runtime: Runtime, change: Change): Command {
  const command = new Command(change)
    .description(descriptions[change])
    .argument('<name>', 'its name')
    .addOption(new Option('--dry-run', 'tell what would change, and change nothing'))
  withExamples(command, [`interlock schedule ${change} nightly`])
  return runsWithBackend<{ readonly dryRun?: boolean }>(command, runtime, async (call, { schedules }) => {
    const name = call.argument(0)
    const dryRun = call.options.dryRun === true
    if (dryRun) await schedules.show(name, 1)
    else if (change === 'delete') await schedules.delete(name)
    else await schedules.pause(name, change === 'pause')
    const answer = { name, status: done[change], ...(dryRun ? { dry_run: true } : {}) }
    call.show(answer, () => `${name} ${dryRun ? 'would be ' : ''}${done[change]}`)
    return undefined
  })
}
