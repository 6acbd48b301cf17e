import { Command } from 'commander'
import type { PrintedSetting } from '../../config.ts'
import { type Runtime, runs, withExamples } from '../runtime.ts'
import { renderTable } from '../table.ts'
import type { Terminal } from '../terminal.ts'

/** `config check` and `config print`: is it right, and what holds. */
export function addConfigCommand(program: Command, runtime: Runtime): void {
  const group = program.command('config').description('the configuration: is it right, and what holds')
  withExamples(group, ['interlock config check', 'interlock config print --config deploy/interlock.toml'])
  group.addCommand(createCheckCommand(runtime))
  group.addCommand(createPrintCommand(runtime))
}

function createCheckCommand(runtime: Runtime): Command {
  const command = new Command('check').description('read every source and name everything that is wrong')
  withExamples(command, ['interlock config check', 'interlock config check --config deploy/interlock.toml'])
  // What is wrong is thrown by load(), and reported like any other usage error.
  return runs(command, runtime, (call) => {
    const { config } = call.load()
    const counts = { queues: count(config.queues), resources: count(config.resources), tasks: count(config.tasks) }
    call.show({ ok: true, file: config.file, ...counts }, () => {
      const subject = config.file ?? 'the configuration (no file, so defaults and environment)'
      return `${subject} is right: ${counts.queues} queues, ${counts.resources} resources, ${counts.tasks} tasks`
    })
    return undefined
  })
}

function createPrintCommand(runtime: Runtime): Command {
  const command = new Command('print').description('show each value and where it came from, secrets masked')
  withExamples(command, ['interlock config print', 'INTERLOCK_HTTP_PORT=8080 interlock config print --json'])
  return runs(command, runtime, (call) => {
    const { printed } = call.load()
    call.show(printed, () => renderSettings(printed, call.terminal))
    return undefined
  })
}

function renderSettings(printed: readonly PrintedSetting[], terminal: Terminal): string {
  return renderTable(
    [{ title: 'SETTING', narrow: 'keep' }, { title: 'VALUE', narrow: 'wrap' }, { title: 'FROM' }],
    printed.map(({ setting, value, origin }) => [setting, showValue(value), origin]),
    terminal,
  )
}

function showValue(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : JSON.stringify(value)
}

function count(table: object): number {
  return Object.keys(table).length
}
