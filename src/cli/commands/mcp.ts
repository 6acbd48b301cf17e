import type { Command } from 'commander'
import { placeOf } from '../backend.ts'
import { type Runtime, runs, withExamples } from '../runtime.ts'

/** `mcp`: the same verbs as tools, for a program that speaks the Model Context Protocol over stdin and stdout. */
export function addMcpCommand(program: Command, runtime: Runtime): void {
  const command = program
    .command('mcp')
    .description('serve the Model Context Protocol over stdin and stdout, for one client')
  withExamples(command, [
    'interlock mcp                                   # for the coordinator at INTERLOCK_URL',
    'interlock mcp --database-url postgres://…       # straight on a database',
    'claude mcp add interlock -- npx interlock mcp',
  ])
  runs(command, runtime, async (call) => {
    const place = placeOf(call.load().config, { prefersDatabase: call.options.databaseUrl !== undefined })
    call.terminal.note('serving the Model Context Protocol on stdin and stdout; Ctrl-C ends it')
    await runtime.serveMcp(place, {
      signal: call.signal,
      onError: (error) => call.terminal.note(call.terminal.paintError('red', `error: ${error.message}`)),
    })
    return undefined
  })
}
