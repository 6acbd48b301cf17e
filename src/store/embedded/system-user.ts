import { execFile } from 'node:child_process'
import { readFile, realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { InterlockError } from '../../domain/errors.ts'

const run = promisify(execFile)

export interface SystemUser {
  readonly uid: number
  readonly gid: number
}

/**
 * Whom the server has to run as: null for oneself. Postgres refuses root, so root lends it to the owner of the cluster
 * where there is one already, else to the user `postgres`, who is created where missing.
 */
export async function chooseServerUser(clusterFolder: string): Promise<SystemUser | null> {
  if (process.getuid?.() !== 0) return null
  const owner = await stat(clusterFolder).catch(() => null)
  if (owner !== null && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid }
  const found = await findPostgresUser()
  if (found !== null) return found
  const failure = await createPostgresUser()
  const created = await findPostgresUser()
  if (created !== null) return created
  throw new InterlockError('unavailable', 'Postgres cannot run as root, and the user postgres could not be created', {
    hint: 'Create a user named postgres, run as another user, or name a server of your own in DATABASE_URL.',
    cause: failure,
  })
}

async function findPostgresUser(): Promise<SystemUser | null> {
  const listed = /^postgres:[^:]*:(\d+):(\d+):/m.exec(await readFile('/etc/passwd', 'utf8').catch(() => ''))
  if (listed !== null) return { uid: Number(listed[1]), gid: Number(listed[2]) }
  try {
    // A user of a directory service, or of macOS, is not in the file.
    const [uid, gid] = await Promise.all([run('id', ['-u', 'postgres']), run('id', ['-g', 'postgres'])])
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
  } catch {
    return null
  }
}

async function createPostgresUser(): Promise<unknown> {
  const ways: readonly (readonly [string, ...string[]])[] = [
    ['useradd', '--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', 'postgres'],
    ['adduser', '-S', '-D', '-H', 'postgres'],
  ]
  let failure: unknown
  for (const [program, ...flags] of ways) {
    try {
      await run(program, flags)
      return undefined
    } catch (error) {
      failure = error
    }
  }
  return failure
}

const rights = { enter: 0o1, run: 0o5 } as const

/** Whether this user may come to the path through every folder above it, and enter it (a folder) or run it (a program). */
export async function isReachableBy(path: string, user: SystemUser, right: keyof typeof rights): Promise<boolean> {
  const target = await realpath(path)
  if (!(await allows(target, user, rights[right]))) return false
  for (let folder = dirname(target); ; folder = dirname(folder)) {
    if (!(await allows(folder, user, rights.enter))) return false
    if (folder === dirname(folder)) return true
  }
}

async function allows(path: string, user: SystemUser, right: number): Promise<boolean> {
  const { mode, uid, gid } = await stat(path)
  const shift = uid === user.uid ? 6 : gid === user.gid ? 3 : 0
  return ((mode >> shift) & right) === right
}
