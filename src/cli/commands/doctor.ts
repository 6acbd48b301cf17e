import { type Command, Option } from 'commander'
import { ConfigurationError, readActor } from '../../config.ts'
import { InterlockError } from '../../domain/errors.ts'
import { type CheckResult, problem } from '../../domain/finding.ts'
import type { Raised } from '../../store/checkup/checkup.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import { type Call, type Runtime, runs, withExamples } from '../runtime.ts'
import type { Terminal } from '../terminal.ts'
import { wholeNumber } from './serve.ts'

interface DoctorOptions {
  readonly afterRestore?: boolean
  readonly above?: number
}

/** `doctor`: is everything as it has to be, and what to do where it is not. Changes nothing unless told to. */
export function addDoctorCommand(program: Command, runtime: Runtime): void {
  const command = program
    .command('doctor')
    .description('look for what is amiss, and say what to do about it; exit code 7 if anything is')
    .addOption(
      new Option('--after-restore', 'first raise tokens and fences above all that was handed out before a restore'),
    )
    .addOption(
      new Option('--above <fence>', 'with --after-restore: the highest fence that a system behind remembers').argParser(
        wholeNumber({ least: 0, most: Number.MAX_SAFE_INTEGER }),
      ),
    )
  withExamples(command, [
    'DATABASE_URL=postgres://… interlock doctor',
    'interlock doctor --json',
    'interlock doctor --after-restore    # once, before anything else starts',
  ])
  runs<DoctorOptions>(command, runtime, async (call) => {
    const named = databaseOf(call)
    if (named instanceof ConfigurationError) {
      const findings = named.message.split('\n').map((what) => problem(what, 'correct it; interlock config print'))
      return report(call, { server: null, restored: null, checks: [{ check: 'configuration', findings }] })
    }
    const { url, needsTls } = named
    const { Database } = await import('../../store/database.ts')
    const { checkServer, describeUrl } = await import('../../store/server-check.ts')
    const { checkUp, raiseAfterRestore } = await import('../../store/checkup/checkup.ts')
    const database = new Database({
      url,
      applicationName: 'interlock doctor',
      poolSize: 1,
      statementTimeoutSeconds: 60,
    })
    try {
      const { major } = await checkServer(database, { needsTls })
      const { afterRestore, above = 0 } = call.options
      const restored = afterRestore === true ? await raiseAfterRestore(database, above, readActor() ?? 'doctor') : null
      const checks = [{ check: 'configuration', findings: [] }, ...(await checkUp(database))]
      return report(call, { server: `${describeUrl(url)} (Postgres ${major})`, restored, checks })
    } finally {
      await database.end()
    }
  })
}

function databaseOf(call: Call): { readonly url: string; readonly needsTls: boolean } | ConfigurationError {
  try {
    const { database, security } = call.load().config
    const { url } = database
    if (url !== null) return { url, needsTls: security.isDatabaseTlsRequired }
  } catch (error) {
    if (error instanceof ConfigurationError) return error
    throw error
  }
  throw new InterlockError('invalid_argument', 'no database is named', {
    hint: 'Set DATABASE_URL or --database-url; `npm start` prints where its own is.',
  })
}

interface Report {
  readonly server: string | null
  readonly restored: readonly Raised[] | null
  readonly checks: readonly CheckResult[]
}

function report(call: Call, { server, restored, checks }: Report): ExitCode {
  const count = checks.reduce((sum, { findings }) => sum + findings.length, 0)
  call.show({ is_healthy: count === 0, server, ...(restored === null ? {} : { restored }), checks }, () =>
    [
      ...(server === null ? [] : [`looked at ${server}`]),
      ...(restored ?? []).map(({ name, was, is_now }) => `raised   ${name}: ${was} -> ${is_now}`),
      ...checks.flatMap((result) => linesOf(result, call.terminal)),
      count === 0 ? 'Healthy.' : `${count} ${count === 1 ? 'finding' : 'findings'}.`,
    ].join('\n'),
  )
  return count === 0 ? exitCodes.ok : exitCodes.unhealthy
}

function linesOf({ check, findings }: CheckResult, terminal: Terminal): readonly string[] {
  if (findings.length === 0) return [`ok       ${check}`]
  return findings.flatMap(({ severity, what, remedy }) => [
    `${terminal.paint('bold', severity.padEnd(8))} ${check}: ${what}`,
    `         -> ${remedy}`,
  ])
}
