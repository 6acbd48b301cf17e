import { Command, Option } from 'commander'
import { checkContract } from '../../domain/contract.ts'
import { keyRequest } from '../../security/key-request.ts'
import type { IssuedKey } from '../../security/key-view.ts'
import { scopes } from '../../security/scopes.ts'
import { type Call, type Runtime, runsWithBackend, withExamples } from '../runtime.ts'
import { wholeNumber } from './serve.ts'

interface CreateOptions {
  readonly scopes: string
  readonly expiresDays?: number
  readonly dryRun?: boolean
}

export function createKeyCreateCommand(runtime: Runtime): Command {
  const command = new Command('create')
    .description('make a key; it is shown once, and kept nowhere')
    .argument('<name>', 'whose it is: the actor in the log of all that is done with it')
    .addOption(new Option('--scopes <names>', `by commas: ${scopes.join(', ')}`).makeOptionMandatory())
    .addOption(expiresOption())
    .addOption(new Option('--dry-run', 'check what was asked for, and make nothing'))
  withExamples(command, [
    'interlock keys create ci --scopes enqueue,read --expires-days 90',
    'interlock keys create gpu-1 --scopes work > gpu-1.key && chmod 600 gpu-1.key   # INTERLOCK_KEY_FILE',
  ])
  return runsWithBackend<CreateOptions>(command, runtime, async (call, backend) => {
    const request = checkContract(keyRequest, {
      name: call.argument(0),
      scopes: call.options.scopes.split(',').map((scope) => scope.trim()),
      ...expiry(call.options.expiresDays),
    })
    if (call.options.dryRun === true) {
      call.show({ dry_run: true, would_create: request }, () => `would make ${request.name}: ${request.scopes}`)
      return undefined
    }
    showIssued(call, await backend.keys.create(request))
    return undefined
  })
}

export function expiresOption(): Option {
  return new Option('--expires-days <number>', 'after how many days it is good for nothing').argParser(
    wholeNumber({ least: 1, most: 36_500 }),
  )
}

export function expiry(days: number | undefined): { readonly expires_in_seconds?: number } {
  return days === undefined ? {} : { expires_in_seconds: days * 86_400 }
}

/** The key alone on stdout, so that it can go into a file without having been on a screen. */
export function showIssued(call: Call, issued: IssuedKey): void {
  const { id, name, scopes: held, previous_until: until } = issued
  call.terminal.note(`${name} (${id}): ${held.join(', ')}. This is the only time that it is shown.`)
  if (until !== null) call.terminal.note(`The former secret is good until ${until}.`)
  call.show(issued, () => issued.key)
}
