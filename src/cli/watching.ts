import { setTimeout as sleep } from 'node:timers/promises'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { isInterlockError } from '../domain/errors.ts'
import type { Backend } from './backend.ts'
import type { ExitCode } from './exit-code.ts'
import { type Call, type Runtime, runsWithBackend } from './runtime.ts'

interface WatchOptions {
  readonly watch?: number
}

const secondsUnlessSaid = 2
/** What a person cannot read faster than, and a queue need not be asked. */
const secondsMin = 0.2
const clearScreen = '\u001b[H\u001b[2J\u001b[3J'

/**
 * Makes a function that shows something the action of a command, which with --watch shows it again and again until
 * Ctrl-C: in place of what it showed on a terminal, one after the other in a pipe. A queue that is away is waited for.
 */
export function looksWithBackend<Options extends object>(
  command: Command,
  runtime: Runtime,
  look: (call: Call<Options>, backend: Backend) => Promise<ExitCode | undefined>,
): Command {
  command.addOption(
    new Option('--watch [seconds]', `look again every so often until Ctrl-C (${secondsUnlessSaid} s)`)
      .preset(String(secondsUnlessSaid))
      .argParser(toSeconds),
  )
  return runsWithBackend<Options & WatchOptions>(command, runtime, async (call, backend) => {
    const { watch: seconds } = call.options
    if (seconds === undefined) return look(call, backend)
    while (!call.signal.aborted) {
      if (call.terminal.isInteractive) call.terminal.write(clearScreen)
      await look(call, backend).catch((error: unknown) => {
        if (call.signal.aborted) return
        if (!isInterlockError(error, 'unavailable')) throw error
        call.terminal.note(call.terminal.paintError('red', `error: ${error.message}`))
      })
      await sleep(seconds * 1000, undefined, { signal: call.signal }).catch(() => undefined)
    }
    return undefined
  })
}

function toSeconds(text: string): number {
  const seconds = Number(text)
  if (text.trim() !== '' && seconds >= secondsMin && seconds <= 3600) return seconds
  throw new InvalidArgumentError(`It must be a number of seconds from ${secondsMin} to 3600.`)
}
