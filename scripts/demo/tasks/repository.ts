import { execFile } from 'node:child_process'
import { appendFile, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** What a commit of the demonstration says of itself. */
export interface EditRecord {
  readonly jobId: string
  readonly startedAt: string
  readonly endedAt: string
}

const logFile = 'edits.log'

/**
 * A user's own repository: git, or, on a machine without git, a plain folder with an append-only log.
 */
export class Repository {
  readonly folder: string
  readonly hasGit: boolean

  private constructor(folder: string, hasGit: boolean) {
    this.folder = folder
    this.hasGit = hasGit
  }

  static async open(workspace: string, user: string): Promise<Repository> {
    const folder = join(workspace, 'repositories', encodeURIComponent(user))
    await mkdir(folder, { recursive: true })
    try {
      await run('git', ['init', '--quiet', folder])
      return new Repository(folder, true)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      return new Repository(folder, false)
    }
  }

  /** Commits all that has changed, with the record as its message. */
  async commit(record: EditRecord): Promise<void> {
    const message = `${record.jobId} started=${record.startedAt} ended=${record.endedAt}`
    if (!this.hasGit) return appendFile(join(this.folder, logFile), `${message}\n`)
    await this.#git('add', '--all')
    await this.#git('commit', '--quiet', '--message', message)
  }

  /** All edits, oldest first. */
  async edits(): Promise<readonly EditRecord[]> {
    const lines = this.hasGit
      ? await this.#git('log', '--reverse', '--format=%s').catch(() => '')
      : await readFile(join(this.folder, logFile), 'utf8').catch(() => '')
    return lines.split('\n').flatMap((line) => {
      const [, jobId = '', startedAt = '', endedAt = ''] = /^(\S+) started=(\S+) ended=(\S+)$/.exec(line) ?? []
      return jobId === '' ? [] : [{ jobId, startedAt, endedAt }]
    })
  }

  // Whatever the machine's own git is set to: no signing, no hooks, an author of our own.
  async #git(...words: string[]): Promise<string> {
    const settings = [
      'user.name=Interlock',
      'user.email=demo@interlock.invalid',
      'commit.gpgsign=false',
      'core.hooksPath=/dev/null',
    ]
    const { stdout } = await run('git', [
      '-C',
      this.folder,
      ...settings.flatMap((setting) => ['-c', setting]),
      ...words,
    ])
    return stdout
  }
}
