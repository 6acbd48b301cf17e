import { Command } from 'commander'
import { type Runtime, withExamples } from '../runtime.ts'
import { createKeyCreateCommand } from './keys-create.ts'
import { createKeyListCommand } from './keys-list.ts'
import { createKeyRevokeCommand } from './keys-revoke.ts'
import { createKeyRotateCommand } from './keys-rotate.ts'

/** `keys`: who may ask what over HTTP. */
export function addKeysCommand(program: Command, runtime: Runtime): void {
  const group = new Command('keys').description('who may ask what over HTTP')
  withExamples(group, [
    'DATABASE_URL=postgres://… interlock keys create ann --scopes admin   # the first one',
    'interlock keys create ci --scopes enqueue,read --expires-days 90',
    'interlock keys rotate k3j… --overlap-seconds 3600',
    'interlock keys list',
  ])
  group.addCommand(createKeyListCommand(runtime))
  group.addCommand(createKeyCreateCommand(runtime))
  group.addCommand(createKeyRotateCommand(runtime))
  group.addCommand(createKeyRevokeCommand(runtime))
  program.addCommand(group)
}
