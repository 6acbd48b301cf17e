import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Scenario } from './scenario.ts'

const witness = fileURLToPath(new URL('witness.sh', import.meta.url))

/** The folder of a run: the configuration of its processes, their logs, and the store that its jobs write into. */
export class Workspace {
  readonly folder: string
  readonly store: string
  readonly config: string

  constructor(folder: string, scenario: Scenario) {
    this.folder = folder
    this.store = join(folder, 'store')
    this.config = join(folder, 'interlock.toml')
    mkdirSync(this.store, { recursive: true })
    writeFileSync(this.config, configOf(scenario, this.store))
  }

  file(name: string): string {
    return join(this.folder, name)
  }

  /** How often these logs say that a claim was not theirs any more. */
  refusedWrites(logs: readonly string[]): number {
    return logs
      .flatMap((name) => readFileSync(this.file(name), 'utf8').split('\n'))
      .filter((line) => line.includes('stale_token')).length
  }

  /** The lines that the jobs wrote of each other; none where there is no such file. */
  lines(name: 'overlaps' | 'refused' | 'journal'): readonly string[] {
    try {
      return readFileSync(join(this.store, name), 'utf8').split('\n').filter(Boolean)
    } catch {
      return []
    }
  }
}

function configOf({ leaseSeconds, shape }: Scenario, store: string): string {
  const task = (name: string, seconds: string, end: string) =>
    `[tasks.${name}]\ncommand = ["sh", "${witness}", "${seconds}", "${end}"]\nenv = { CHAOS_STORE = "${store}" }\n`
  return [
    '[agents]',
    `lease_seconds = ${leaseSeconds}`,
    `heartbeat_seconds = ${leaseSeconds / 3.5}`,
    '[agent]',
    `slots = ${shape.slots}`,
    'drain_seconds = 3',
    ...['high', 'default', 'low'].flatMap((queue) => [
      `[queues.${queue}]`,
      `patience_seconds = ${shape.patienceSeconds}`,
      `scheduling = "${shape.scheduling}"`,
    ]),
    '[resources]',
    `"model:wide" = ${shape.wideCapacity}`,
    task('quick', '0.02', 'ok'),
    task('slow', '0.4', 'ok'),
    task('deaf', '0.6', 'deaf'),
    task('fails', '0.02', 'fail'),
    task('long', '60', 'ok'),
  ].join('\n')
}
