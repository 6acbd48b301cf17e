import { Command, Option } from 'commander'
import { InterlockError } from '../../domain/errors.ts'
import { exitCodes } from '../exit-code.ts'
import { type Call, type Runtime, runs, withExamples } from '../runtime.ts'

interface ReencryptOptions {
  readonly dryRun?: boolean
}

/** `payloads`: what is stored encrypted. */
export function addPayloadsCommand(program: Command, runtime: Runtime): void {
  const group = new Command('payloads').description('the inputs of jobs that are stored encrypted')
  withExamples(group, [
    'interlock payloads reencrypt --dry-run   # INTERLOCK_ENCRYPTION_KEYS: the new key first, then the old one',
  ])
  group.addCommand(createReencryptCommand(runtime))
  program.addCommand(group)
}

function createReencryptCommand(runtime: Runtime): Command {
  const command = new Command('reencrypt')
    .description('write what older keys of the ring have encrypted anew with the first one; exit code 7 if any is left')
    .addOption(new Option('--dry-run', 'count them, and change nothing'))
  withExamples(command, [
    'DATABASE_URL=postgres://… INTERLOCK_ENCRYPTION_KEYS_FILE=keys interlock payloads reencrypt',
    'interlock payloads reencrypt --dry-run',
  ])
  return runs<ReencryptOptions>(command, runtime, async (call) => {
    const { url, ring, needsTls } = namedHere(call)
    const { Database } = await import('../../store/database.ts')
    const { checkServer } = await import('../../store/server-check.ts')
    const { checkSchema } = await import('../../store/migrations.ts')
    const { reencryptPayloads } = await import('../../store/sealed-payloads.ts')
    const database = new Database({ url, applicationName: 'interlock cli', poolSize: 2 })
    try {
      await checkServer(database, { needsTls })
      await checkSchema(database)
      const dryRun = call.options.dryRun === true
      const done = await reencryptPayloads(database, ring, { dryRun, signal: call.signal })
      const left = done.old - done.replaced
      call.show({ dry_run: dryRun, ...done, left }, () =>
        [
          dryRun ? `${done.old} would be written anew` : `${done.replaced} of ${done.old} written anew`,
          ...done.unreadable.map((id) => `${id} is encrypted with a key that is not here`),
        ].join('\n'),
      )
      return dryRun || left === 0 ? exitCodes.ok : exitCodes.unhealthy
    } finally {
      await database.end()
    }
  })
}

/** The keys are here and not with a coordinator: they go over no line. */
function namedHere(call: Call) {
  const { database, security } = call.load().config
  const { ring } = security.encryption
  if (database.url === null) {
    throw new InterlockError('invalid_argument', 'no database is named', {
      hint: 'Set DATABASE_URL or --database-url.',
    })
  }
  if (ring === null) {
    throw new InterlockError('invalid_argument', 'there are no encryption keys here', {
      hint: 'Set INTERLOCK_ENCRYPTION_KEYS, or INTERLOCK_ENCRYPTION_KEYS_FILE: the key that writes first.',
    })
  }
  return { url: database.url, ring, needsTls: security.isDatabaseTlsRequired }
}
