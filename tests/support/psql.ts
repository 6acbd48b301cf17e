import { execFile, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface PsqlRun {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface PsqlOptions {
  /** psql variables, as -v name=value. */
  readonly variables?: Readonly<Record<string, string>>
  /** What is typed. */
  readonly input?: string
  /** `read only`: the server refuses every write of the session. */
  readonly access?: 'read only'
}

/** Whether this machine has a psql: the embedded server brings none. */
export const hasPsql = spawnSync('psql', ['--version']).status === 0

/** Runs a script of sql/ in the real psql, as an operator would. */
export function runPsql(
  url: string,
  script: string,
  { variables = {}, input = '', access }: PsqlOptions = {},
): Promise<PsqlRun> {
  const file = fileURLToPath(new URL(`../../sql/${script}`, import.meta.url))
  const settings = Object.entries(variables).flatMap(([name, value]) => ['-v', `${name}=${value}`])
  return new Promise((resolve, reject) => {
    const env = {
      ...process.env,
      ...(access === undefined ? {} : { PGOPTIONS: '-c default_transaction_read_only=on' }),
    }
    const child = execFile('psql', [url, '--no-psqlrc', ...settings, '-f', file], { env }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(error)
      else resolve({ code: Number(error?.code ?? 0), stdout, stderr })
    })
    // A script that asks nothing may have ended before it is typed to.
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
  })
}
