import { Command, Option } from 'commander'
import { maxLeaseSeconds } from '../../domain/lock-request.ts'
import { type Runtime, runsWithBackend, withExamples } from '../runtime.ts'
import { showTime } from '../times.ts'
import { wholeNumber } from './serve.ts'

interface ExtendOptions {
  readonly token: number
  readonly lease?: number
}

export function createExtendCommand(runtime: Runtime): Command {
  const command = new Command('extend')
    .description('say that you still hold a lock: its lease begins anew')
    .argument('<lock>', 'its id')
    .addOption(tokenOption().makeOptionMandatory())
    .addOption(
      new Option('--lease <seconds>', 'until so long from now; unless set, as long as before').argParser(
        wholeNumber({ least: 1, most: maxLeaseSeconds }),
      ),
    )
  withExamples(command, ['interlock locks extend d1024 --token 17 --lease 600'])
  return runsWithBackend<ExtendOptions>(command, runtime, async (call, backend) => {
    const id = call.argument(0)
    const { token, lease } = call.options
    const { lease_until: until } = await backend.extendLock(id, token, lease ?? null)
    call.show({ lock_id: id, lease_until: until }, () => `${id} until ${showTime(until)}`)
    return undefined
  })
}

export function tokenOption(): Option {
  return new Option('--token <number>', 'what acquiring it printed').argParser(
    wholeNumber({ least: 0, most: Number.MAX_SAFE_INTEGER }),
  )
}
