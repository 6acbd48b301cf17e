import { Command, Option } from 'commander'
import { checkContract } from '../../domain/contract.ts'
import { rotation } from '../../security/key-request.ts'
import { type Runtime, runsWithBackend, withExamples } from '../runtime.ts'
import { expiresOption, expiry, showIssued } from './keys-create.ts'
import { findKey } from './keys-list.ts'
import { wholeNumber } from './serve.ts'

interface RotateOptions {
  readonly overlapSeconds?: number
  readonly expiresDays?: number
  readonly dryRun?: boolean
}

export function createKeyRotateCommand(runtime: Runtime): Command {
  const command = new Command('rotate')
    .description('give a key another secret; the one before stays good for a day, or as long as it is told')
    .argument('<id>', 'its id: the middle part of il_ID_SECRET')
    .addOption(
      new Option('--overlap-seconds <number>', 'for how long the former secret stays good').argParser(
        wholeNumber({ least: 0, most: 2_592_000 }),
      ),
    )
    .addOption(expiresOption())
    .addOption(new Option('--dry-run', 'show the key, and change nothing'))
  withExamples(command, [
    'interlock keys rotate k3j8x1c0a9fd > ci.key',
    'interlock keys rotate k3j8x1c0a9fd --overlap-seconds 0    # it has leaked',
  ])
  return runsWithBackend<RotateOptions>(command, runtime, async (call, { keys }) => {
    const id = call.argument(0)
    const { overlapSeconds, expiresDays, dryRun } = call.options
    const wanted = checkContract(rotation, { overlap_seconds: overlapSeconds, ...expiry(expiresDays) })
    if (dryRun === true) {
      const key = await findKey(keys, id)
      call.show({ dry_run: true, would_rotate: key, ...wanted }, () => `would give ${key.name} (${id}) another secret`)
      return undefined
    }
    showIssued(call, await keys.rotate(id, wanted))
    return undefined
  })
}
