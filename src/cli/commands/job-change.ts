import { Command, Option } from 'commander'
import type { JobChange } from '../backend.ts'
import { previewChange } from '../change-preview.ts'
import { type Runtime, runsWithBackend, withExamples } from '../runtime.ts'

interface ChangeOptions {
  readonly reason?: string
  readonly dryRun?: boolean
}

const words: Readonly<Record<JobChange, { readonly description: string; readonly example: string }>> = {
  start: {
    description: 'let a job that was added without starting wait for its turn',
    example: 'interlock job start d1024',
  },
  approve: {
    description: 'approve a job that waits for a person (human_required): agents of that level may take it',
    example: 'interlock job approve d1024 --reason "reviewed the branch"',
  },
  reject: {
    description: 'refuse the approval that a job waits for: it is cancelled',
    example: 'interlock job reject d1024 --reason "not in this release"',
  },
  release: {
    description: 'take from a job, or a lock, all that it holds; what runs is stopped first',
    example: 'interlock job release d1024 --reason "it hangs"',
  },
  cancel: {
    description: 'stop a job: one that waits at once, one that runs as soon as its process is gone',
    example: 'interlock job cancel d1024 --reason "wrong branch"',
  },
  requeue: {
    description: 'send a job that failed for good back to wait again, or one that waits for its time now',
    example: 'interlock job requeue d1024 --reason "the API is back"',
  },
  delete: {
    description: 'take a job away that does not run; its log and history stay',
    example: 'interlock job delete d1024',
  },
}

/** `job cancel`, `job requeue`, `job approve`, …: one shape, many verbs. */
export function createChangeCommand(runtime: Runtime, change: JobChange): Command {
  const command = new Command(change)
    .description(words[change].description)
    .argument('<id>')
    .addOption(new Option('--reason <text>', 'why, for its log'))
    .addOption(new Option('--dry-run', 'show what would change, and change nothing'))
  withExamples(command, [words[change].example, `interlock job ${change} d1024 --dry-run`])
  return runsWithBackend<ChangeOptions>(command, runtime, async (call, backend) => {
    const id = call.argument(0)
    if (call.options.dryRun === true) {
      const preview = previewChange(await backend.getJob(id), change)
      call.show(
        { dry_run: true, ...preview },
        () => `would ${change} ${id}: ${preview.from} -> ${preview.to}${preview.note}`,
      )
      return undefined
    }
    const { status } = await backend.changeJob(id, change, call.options.reason ?? null)
    call.show({ job_id: id, status }, () => `${id} ${status}`)
    return undefined
  })
}
