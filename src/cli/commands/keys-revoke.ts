import { Command, Option } from 'commander'
import { type Runtime, runsWithBackend, withExamples } from '../runtime.ts'
import { findKey } from './keys-list.ts'

interface RevokeOptions {
  readonly reason?: string
  readonly dryRun?: boolean
}

export function createKeyRevokeCommand(runtime: Runtime): Command {
  const command = new Command('revoke')
    .description('end a key for good, with both its secrets; within a second everywhere')
    .argument('<id>', 'its id: the middle part of il_ID_SECRET')
    .addOption(new Option('--reason <text>', 'why, for the audit'))
    .addOption(new Option('--dry-run', 'show the key, and change nothing'))
  withExamples(command, ['interlock keys revoke k3j8x1c0a9fd --reason "was in a screenshot"'])
  return runsWithBackend<RevokeOptions>(command, runtime, async (call, { keys }) => {
    const id = call.argument(0)
    const dryRun = call.options.dryRun === true
    const key = dryRun ? await findKey(keys, id) : await keys.revoke(id, call.options.reason ?? null)
    call.show(dryRun ? { dry_run: true, would_revoke: key } : key, () =>
      dryRun ? `${key.name} (${id}) would be revoked` : `${key.name} (${id}) revoked`,
    )
    return undefined
  })
}
