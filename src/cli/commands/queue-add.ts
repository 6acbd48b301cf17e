import { Command, Option } from 'commander'
import { InterlockError } from '../../domain/errors.ts'
import { checkJobRequest, type JobRequest } from '../../domain/job-request.ts'
import { resourcesOf } from '../../domain/resource.ts'
import { paintStatus } from '../job-words.ts'
import { type NewJobOptions, readJobRequest } from '../new-job.ts'
import { type Call, type Runtime, runsWithBackend, withExamples } from '../runtime.ts'
import { timeoutOption, waitAndShow } from './job-wait.ts'

interface QueueAddOptions extends NewJobOptions {
  readonly wait?: boolean
  readonly timeout?: number
  readonly dryRun?: boolean
}

export function createQueueAddCommand(runtime: Runtime): Command {
  const command = new Command('add')
    .description('put a job in')
    .argument('[task]', 'the kind of work; an agent knows how (unless a work order says)')
    .argument('[prompt]', 'for people: becomes payload.prompt')
    .addOption(new Option('--user <name>', 'whose it is: one job at a time'))
    .addOption(new Option('--model <name>', 'a model that it needs for itself; may be repeated').argParser(collect))
    .addOption(new Option('--resource <kind:value>', 'anything else that it needs; may be repeated').argParser(collect))
    .addOption(new Option('--priority <level>', 'critical, high, normal, low, or a number from 0 to 3'))
    .addOption(new Option('--queue <name>', 'unless set, the priority chooses it'))
    .addOption(new Option('--payload <json>', 'its input: an object, @file, or - for stdin'))
    .addOption(new Option('--encrypt', 'store its input encrypted: whoever runs the job alone can read it'))
    .addOption(new Option('--metadata <json>', 'becomes payload.metadata'))
    .addOption(new Option('--project <name>', 'to filter and clean up by'))
    .addOption(new Option('--id <id>', 'an id of your own'))
    .addOption(new Option('--kind <word>', 'workflow, image, video, …'))
    .addOption(new Option('--run-at <time>', 'not before this time (ISO 8601)').conflicts('delay'))
    .addOption(new Option('--delay <seconds>', 'not before so many seconds'))
    .addOption(new Option('--run-timeout <seconds>', 'the longest that it may run'))
    .addOption(new Option('--max-attempts <number>', 'how often it is tried'))
    .addOption(new Option('--retry-delays <seconds>', 'the waits between attempts, by commas'))
    .addOption(new Option('--ttl <seconds>', 'how long it may wait; 0 for ever'))
    .addOption(new Option('--permission <level>', 'autonomous, supervised or human_required'))
    .addOption(new Option('--approved-by <name>', 'of a human_required job: who approved it already'))
    .addOption(new Option('--unique-key <key>', 'only while no unfinished job has this key'))
    .addOption(
      new Option('--on-duplicate <what>', 'what to do if one has: skip (and show that one), replace, refuse').choices([
        'skip',
        'replace',
        'refuse',
      ]),
    )
    .addOption(new Option('--heartbeat <seconds>', 'how long it may be silent before it is stopped; 0 for ever'))
    .addOption(new Option('--work-order <json>', 'a work order: an object, @file, or - for stdin'))
    .addOption(new Option('--no-start', 'add it paused'))
    .addOption(new Option('--depends-on <id>', 'a job that has to complete first; may be repeated').argParser(collect))
    .addOption(new Option('--depends-on-outcome <which>', 'success (unless set), or any end of those jobs'))
    .addOption(new Option('--wait', 'wait until it ends, with the exit code of `job wait`'))
    .addOption(timeoutOption())
    .addOption(new Option('--dry-run', 'check it, show it, and add nothing'))
  withExamples(command, [
    'interlock queue add test "Test task" --priority normal',
    'interlock queue add resize --user alice --payload \'{"url": "…"}\' --wait',
    'interlock queue add publish --depends-on d1024 --depends-on d1025',
    'interlock queue add report --delay 3600 --payload @report.json',
    'interlock queue add index --unique-key repo-7 --on-duplicate replace',
    'interlock queue add --work-order @order.json',
  ])
  return runsWithBackend<QueueAddOptions>(command, runtime, async (call, backend) => {
    if (call.optionalArgument(0) === null && call.options.workOrder === undefined) {
      throw new InterlockError('invalid_argument', "missing required argument 'task'", {
        hint: 'See `interlock queue add --help`.',
      })
    }
    const request = checkJobRequest(
      await readJobRequest(call.optionalArgument(0), call.optionalArgument(1), call.options),
    )
    if (call.options.dryRun === true) {
      showDryRun(request, call)
      return undefined
    }
    const job = await backend.enqueue(request)
    if (job.is_duplicate === true) call.terminal.note(`${job.id} has this unique key already; nothing was added`)
    if (call.options.wait === true) {
      call.terminal.note(`${job.id} ${job.status}`)
      return waitAndShow(job.id, call, backend)
    }
    call.show(job, () => `${job.id} ${paintStatus(job.status, call.terminal)}`)
    return undefined
  })
}

/** An option that is typed several times. Not a variadic one: that would swallow the task that stands behind it. */
function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

function showDryRun(request: JobRequest, call: Call): void {
  const needs = resourcesOf(request)
  call.show({ dry_run: true, job: request, needs }, () =>
    [
      `would add a job of ${request.task}${needs.length === 0 ? '' : `, which needs ${needs.join(', ')}`}:`,
      JSON.stringify(request, null, 2),
    ].join('\n'),
  )
}
