import { Command, Option } from 'commander'
import { isResource } from '../../domain/resource.ts'
import { type Runtime, runsWithBackend, withExamples } from '../runtime.ts'
import { tokenOption } from './locks-extend.ts'
import { renderLocks } from './locks-list.ts'

interface ReleaseOptions {
  readonly job?: string
  readonly token?: number
  readonly reason?: string
  readonly dryRun?: boolean
}

export function createReleaseCommand(runtime: Runtime): Command {
  const command = new Command('release')
    .description('release a lock; of a resource that a job holds, stop the job first')
    .argument('<key>', 'a resource (user:alice), or the id of a lock')
    .addOption(new Option('--job <id>', 'only if this job or lock holds the resource'))
    .addOption(tokenOption())
    .addOption(new Option('--reason <text>', 'why, for the log'))
    .addOption(new Option('--dry-run', 'show who holds it, and release nothing'))
  withExamples(command, [
    'interlock locks release user:alice --job 123 --reason "it hangs"',
    'interlock locks release d1024 --token 17',
  ])
  return runsWithBackend<ReleaseOptions>(command, runtime, async (call, backend) => {
    const key = call.argument(0)
    const { job = null, token = null, reason = null, dryRun } = call.options
    if (dryRun === true) {
      const ofKey = isResource(key) ? await backend.locks({ resource: key }) : await backend.locks({ kind: 'lock' })
      const id = isResource(key) ? job : key
      const held = ofKey.filter((lock) => lock.state === 'held' && (id === null || lock.job_id === id))
      call.show({ dry_run: true, would_release: held }, () => renderLocks(held, call.terminal))
      return undefined
    }
    const released = await backend.release({ key, jobId: job, token, reason })
    call.show(released, () =>
      released.map(({ kind, job_id: id, status }) => `${kind} ${id} ${phrases[status] ?? status}`).join('\n'),
    )
    return undefined
  })
}

const phrases: Readonly<Record<string, string>> = {
  cancelling: 'was asked to stop, and holds until its process is gone',
}
