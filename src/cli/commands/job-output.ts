import { setTimeout as sleep } from 'node:timers/promises'
import { Command, Option } from 'commander'
import { isFinished } from '../../domain/job.ts'
import type { OutputChunkView } from '../../domain/output-view.ts'
import type { Backend } from '../backend.ts'
import { patiently } from '../patience.ts'
import { type Call, type Runtime, runsWithBackend, withExamples } from '../runtime.ts'

interface OutputOptions {
  readonly follow?: boolean
}

/** Between two looks; short enough to read along, long enough not to be felt by the database. */
const lookEveryMs = 250

export function createOutputCommand(runtime: Runtime): Command {
  const command = new Command('output')
    .description('what a job wrote: its stdout on stdout, its stderr on stderr')
    .argument('<id>')
    .addOption(new Option('-f, --follow', 'go on until the job ends'))
  withExamples(command, ['interlock job output d1024', 'interlock job output d1024 -f 2>/dev/null | grep error'])
  return runsWithBackend<OutputOptions>(command, runtime, async (call, backend) => {
    const id = call.argument(0)
    // An id that nobody has is an error, not a job without output.
    let job = await backend.getJob(id)
    let after = await writeFrom(id, 0, call, backend)
    while (call.options.follow === true && !isFinished(job.status)) {
      await sleep(lookEveryMs, undefined, { signal: call.signal })
      job = await patiently(call, () => backend.getJob(id))
      // Read after the state: what a job wrote before it ended is there by then.
      after = await writeFrom(id, after, call, backend)
    }
    return undefined
  })
}

async function writeFrom(id: string, after: number, call: Call, backend: Backend): Promise<number> {
  let last = after
  for (;;) {
    const chunks = await patiently(call, () => backend.output(id, last))
    if (chunks.length === 0) return last
    for (const chunk of chunks) {
      write(chunk, call)
      last = Math.max(last, chunk.seq)
    }
  }
}

function write(chunk: OutputChunkView, call: Call): void {
  if (call.isJson) call.terminal.print(JSON.stringify(chunk))
  else if (chunk.stream === 'stdout') call.terminal.print(chunk.lines)
  else call.terminal.note(chunk.lines)
}
