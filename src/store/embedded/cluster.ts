import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { InterlockError } from '../../domain/errors.ts'
import type { Binaries } from './binaries.ts'
import type { SystemUser } from './system-user.ts'

// Not `interlock`: a user finds the schema of its own name without naming it, and what works here would fail elsewhere.
export const superuser = 'postgres'

/** What the server's programs get to see of the environment: nothing of the caller's. */
export const serverEnvironment = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' }

/** The folder that initdb made, with what belongs to it. */
export interface Cluster {
  readonly folder: string
  /** The data directory. */
  readonly cluster: string
  readonly password: string
}

export function clusterFolder(dataDir: string): string {
  return join(dataDir, 'server')
}

/**
 * The cluster in this data folder, created when there is none. Cluster and password are one folder that is renamed into
 * place whole: a creation that was killed leaves nothing half done, and of two at once one wins and both use it.
 */
export async function openCluster(dataDir: string, binaries: Binaries, user: SystemUser | null): Promise<Cluster> {
  const folder = clusterFolder(dataDir)
  if (!existsSync(folder)) await createCluster(folder, binaries, user)
  const cluster = join(folder, 'cluster')
  const major = Number((await readFile(join(cluster, 'PG_VERSION'), 'utf8')).trim())
  if (major !== binaries.major) {
    throw new InterlockError(
      'unavailable',
      `the data folder ${dataDir} holds a cluster of Postgres ${major}; this program brings ${binaries.major}`,
      { hint: 'Choose another folder by --data-dir, or serve that one yourself and name it in DATABASE_URL.' },
    )
  }
  return { folder, cluster, password: (await readFile(join(folder, 'password'), 'utf8')).trim() }
}

async function createCluster(folder: string, binaries: Binaries, user: SystemUser | null): Promise<void> {
  const staging = `${folder}.${process.pid}`
  await rm(staging, { recursive: true, force: true })
  await mkdir(staging, { mode: 0o700 })
  const passwordFile = join(staging, 'password')
  await writeFile(passwordFile, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 })
  await chmod(staging, 0o700)
  if (user !== null) {
    await chown(staging, user.uid, user.gid)
    await chown(passwordFile, user.uid, user.gid)
  }
  try {
    await promisify(execFile)(
      join(binaries.binFolder, 'initdb'),
      [
        '--pgdata',
        join(staging, 'cluster'),
        '--username',
        superuser,
        '--pwfile',
        passwordFile,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        // The same order of text on every machine, whatever its C library thinks; before 17 only C promises that.
        '--locale=C',
        ...(binaries.major >= 17 ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'] : []),
        '--no-instructions',
      ],
      { ...user, cwd: '/', env: serverEnvironment },
    )
    await rename(staging, folder)
  } catch (error) {
    await rm(staging, { recursive: true, force: true })
    if (existsSync(folder)) return
    const said = (error as { readonly stderr?: string }).stderr?.trim().split('\n').at(-1)
    throw new InterlockError(
      'unavailable',
      `no database cluster could be created in ${folder}: ${said || String(error)}`,
      {
        hint: 'Choose another folder by --data-dir, or name a server of your own in DATABASE_URL.',
        cause: error,
      },
    )
  }
}
