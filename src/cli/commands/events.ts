import { setTimeout as sleep } from 'node:timers/promises'
import { Command, Option } from 'commander'
import type { EventPage } from '../../domain/queue-event.ts'
import { renderEvent } from '../event-phrase.ts'
import { patiently } from '../patience.ts'
import { type Call, type Runtime, runsWithBackend, withExamples } from '../runtime.ts'
import { wholeNumber } from './serve.ts'

interface EventsOptions {
  readonly follow?: boolean
  readonly since?: string
  readonly job?: string
  readonly user?: string
  readonly queue?: string
  readonly type?: readonly string[]
  readonly limit?: number
}

const linesALook = 500
const idleMs = 1000
/** More comes where something came. */
const busyMs = 100

/** `events`: the log, in the order in which it was committed. */
export function addEventsCommand(program: Command, runtime: Runtime): void {
  const command = new Command('events')
    .description('what happened, each event once, in the order of commits')
    .addOption(new Option('-f, --follow', 'go on until interrupted; from now on unless --since says otherwise'))
    .addOption(new Option('--since <cursor>', 'after the event with this cursor (of --json); start: the oldest kept'))
    .addOption(new Option('--job <id>', 'only of this job'))
    .addOption(new Option('--user <name>', "only of this user's jobs"))
    .addOption(new Option('--queue <name>', 'only of this queue'))
    .addOption(
      new Option('--type <event>', 'only such events: enqueued, started, … (several with commas)').argParser((given) =>
        given.split(','),
      ),
    )
    .addOption(
      new Option('--limit <number>', 'end after so many').argParser(wholeNumber({ least: 1, most: 1_000_000_000 })),
    )
  withExamples(command, [
    'interlock events --follow',
    'interlock events --follow --user alice --type started,completed,failed',
    'interlock events --job d1024',
    'interlock events --follow --since start --json | jq .event_type',
  ])
  program.addCommand(
    runsWithBackend<EventsOptions>(command, runtime, async (call, backend) => {
      const { follow = false, since, job, user, queue, type, limit = Number.POSITIVE_INFINITY } = call.options
      let cursor = since ?? (follow ? null : 'start')
      for (let shown = 0; shown < limit; ) {
        const asked = { cursor, limit: linesALook, job, user, queue, event_types: type }
        const page = follow ? await patiently(call, () => backend.events(asked)) : await backend.events(asked)
        shown += show(page, call, limit - shown)
        cursor = page.next_cursor
        if (page.more) continue
        if (!follow) break
        await sleep(page.events.length > 0 ? busyMs : idleMs, undefined, { signal: call.signal })
      }
      return undefined
    }),
  )
}

function show({ events }: EventPage, { terminal, isJson }: Call, most: number): number {
  const shown = events.slice(0, most)
  for (const event of shown) terminal.print(isJson ? JSON.stringify(event) : renderEvent(event, terminal))
  return shown.length
}
