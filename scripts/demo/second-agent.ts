import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const config = fileURLToPath(new URL('interlock.toml', import.meta.url))

/**
 * An agent in a process of its own, `interlock agent`, with one slot for the queue `field`. It is there to be killed.
 */
export class SecondAgent {
  readonly #child: ChildProcess
  readonly pid: number

  private constructor(child: ChildProcess, pid: number) {
    this.#child = child
    this.pid = pid
  }

  /** Its log goes to a file in the workspace. The database is named in its environment, where nobody else reads it. */
  static async start(
    databaseUrl: string,
    { name, workspace }: { readonly name: string; readonly workspace: string },
  ): Promise<SecondAgent> {
    const log = openSync(join(workspace, 'second-agent.log'), 'a')
    const words = ['agent', '--config', config, '--name', name, '--queues', 'field', '--slots', '1']
    const child = spawn(process.execPath, [main, ...words], {
      env: { ...process.env, DATABASE_URL: databaseUrl },
      stdio: ['ignore', log, log],
    })
    await once(child, 'spawn')
    if (child.pid === undefined) throw new Error('the second agent has no pid')
    // Whoever stops the demonstration at once does not want an agent left over.
    const atExit = () => void child.kill('SIGKILL')
    process.once('exit', atExit)
    child.once('exit', () => process.removeListener('exit', atExit))
    return new SecondAgent(child, child.pid)
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** kill -9: it cannot say good-bye, to the database or to its jobs. */
  async kill(): Promise<void> {
    if (!this.isRunning) return
    const exit = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exit
  }
}
