import { Command } from 'commander'
import { type Runtime, withExamples } from '../runtime.ts'
import { createAcquireCommand } from './locks-acquire.ts'
import { createExtendCommand } from './locks-extend.ts'
import { createLockListCommand } from './locks-list.ts'
import { createReleaseCommand } from './locks-release.ts'
import { createSweepCommand } from './locks-sweep.ts'

/** `locks`: who holds what, and locks held by hand. */
export function addLocksCommand(program: Command, runtime: Runtime): void {
  const group = new Command('locks').description('who holds which user, model or other resource; and locks by hand')
  withExamples(group, [
    'interlock locks list',
    'interlock locks acquire user:alice --wait 60 -- ./deploy.sh   # nobody works for alice meanwhile',
    'interlock locks release user:alice --job 123                  # stops the job first',
    'interlock locks sweep --older-than 3600 --dry-run',
  ])
  group.addCommand(createLockListCommand(runtime))
  group.addCommand(createAcquireCommand(runtime))
  group.addCommand(createExtendCommand(runtime))
  group.addCommand(createReleaseCommand(runtime))
  group.addCommand(createSweepCommand(runtime))
  program.addCommand(group)
}
