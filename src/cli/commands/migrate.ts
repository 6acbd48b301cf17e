import { Command, Option } from 'commander'
import { InterlockError } from '../../domain/errors.ts'
import type { Database } from '../../store/database.ts'
import type { MigrationPlan } from '../../store/migrations.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import { type Call, type Runtime, runs, withExamples } from '../runtime.ts'

/** `migrate up|status|plan`: the schema of a database of one's own. */
export function addMigrateCommand(program: Command, runtime: Runtime): void {
  const group = program.command('migrate').description('bring the schema of a database up to this program')
  withExamples(group, [
    'DATABASE_URL=postgres://… interlock migrate plan',
    'interlock migrate up --database-url postgres://…',
  ])
  group.addCommand(createUpCommand(runtime))
  group.addCommand(createStatusCommand(runtime))
  group.addCommand(createPlanCommand(runtime))
  group.addCommand(createRolesCommand(runtime))
}

function createUpCommand(runtime: Runtime): Command {
  const command = new Command('up').description(
    'run what is missing; safe to run anywhere, at any time, by several at once',
  )
  withExamples(command, ['DATABASE_URL=postgres://… interlock migrate up'])
  return runs(command, runtime, (call) =>
    withDatabase(call, async (database) => {
      const { migrate } = await import('../../store/migrations.ts')
      const log = (sentence: string) => call.terminal.note(sentence)
      const { applied, functionsInstalled } = await migrate(database, { log, signal: call.signal })
      call.show({ applied, functions_installed: functionsInstalled }, () =>
        applied.length === 0 && !functionsInstalled
          ? 'up to date'
          : `applied: ${describeSteps(applied, functionsInstalled)}`,
      )
      return undefined
    }),
  )
}

function createRolesCommand(runtime: Runtime): Command {
  const command = new Command('roles')
    .description('create the roles interlock_owner, _service, _agent and _reader, and give them their rights')
    .addOption(new Option('--dry-run', 'show which would be created'))
  withExamples(command, [
    'interlock migrate roles --database-url postgres://…   # again after the first start of a coordinator',
    'interlock migrate roles --dry-run',
  ])
  return runs<{ readonly dryRun?: boolean }>(command, runtime, (call) =>
    withDatabase(call, async (database) => {
      const { createRoles, missingRoles } = await import('../../store/migrations.ts')
      const isDry = call.options.dryRun === true
      const created = await missingRoles(database)
      if (!isDry) await createRoles(database)
      call.show({ dry_run: isDry, created }, () =>
        [
          created.length === 0 ? 'all roles exist' : `${isDry ? 'would create' : 'created'} ${created.join(', ')}`,
          isDry ? 'would grant what each may do' : 'granted what each may do',
        ].join('; '),
      )
      return undefined
    }),
  )
}

function createStatusCommand(runtime: Runtime): Command {
  const command = new Command('status').description('is the schema what this program needs? exit code 7 if not')
  withExamples(command, ['interlock migrate status --database-url postgres://… || interlock migrate up …'])
  return runs(command, runtime, (call) =>
    withDatabase(call, async (database) => {
      const plan = await readPlan(database)
      const isReady = plan.pending.length === 0 && !plan.installsFunctions
      call.show({ up_to_date: isReady, ...toWire(plan) }, () =>
        [
          isReady ? 'up to date' : `missing: ${describeSteps(plan.pending, plan.installsFunctions)}`,
          `applied: ${plan.applied.length === 0 ? 'nothing' : plan.applied.join(', ')}`,
          ...(plan.installedBy === null ? [] : [`functions and views of version ${plan.installedBy}`]),
        ].join('\n'),
      )
      return isReady ? exitCodes.ok : exitCodes.unhealthy
    }),
  )
}

function createPlanCommand(runtime: Runtime): Command {
  const command = new Command('plan').description('show what `migrate up` would do, and do nothing')
  withExamples(command, ['interlock migrate plan --database-url postgres://… --json'])
  return runs(command, runtime, (call) =>
    withDatabase(call, async (database) => {
      const plan = await readPlan(database)
      call.show(toWire(plan), () =>
        plan.pending.length === 0 && !plan.installsFunctions
          ? 'nothing to do'
          : `would apply: ${describeSteps(plan.pending, plan.installsFunctions)}`,
      )
      return undefined
    }),
  )
}

async function withDatabase(
  call: Call,
  work: (database: Database) => Promise<ExitCode | undefined>,
): Promise<ExitCode | undefined> {
  const { database: named, security } = call.load().config
  const { url } = named
  if (url === null) {
    throw new InterlockError('invalid_argument', 'no database is named', {
      hint: 'Set DATABASE_URL or --database-url; the embedded one is migrated by `interlock up`.',
    })
  }
  const { Database } = await import('../../store/database.ts')
  const { checkServer } = await import('../../store/server-check.ts')
  const database = new Database({ url, applicationName: 'interlock migrate', poolSize: 2 })
  try {
    await checkServer(database, { needsTls: security.isDatabaseTlsRequired })
    return await work(database)
  } finally {
    await database.end()
  }
}

async function readPlan(database: Database): Promise<MigrationPlan> {
  const { planMigration } = await import('../../store/migrations.ts')
  return planMigration(database)
}

function describeSteps(migrations: readonly string[], installsFunctions: boolean): string {
  return [...migrations, ...(installsFunctions ? ['functions and views'] : [])].join(', ')
}

function toWire({ applied, pending, installsFunctions, installedBy }: MigrationPlan): Record<string, unknown> {
  return { applied, pending, installs_functions: installsFunctions, installed_by: installedBy }
}
