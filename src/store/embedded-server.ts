import { constants } from 'node:fs'
import { access, chmod, chown, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { InterlockError } from '../domain/errors.ts'
import { Connection } from './connection.ts'
import { type Binaries, findEmbeddedBinaries } from './embedded/binaries.ts'
import { type Cluster, clusterFolder, openCluster, superuser } from './embedded/cluster.ts'
import { leaveOwnership, seizeOwnership, takeOwnership } from './embedded/owner-file.ts'
import { choosePort } from './embedded/port.ts'
import { findPostmaster, type Postmaster } from './embedded/postmaster.ts'
import { type ServerSettings, startServer, stopServer } from './embedded/server-process.ts'
import { chooseServerUser, isReachableBy, type SystemUser } from './embedded/system-user.ts'
import { sqlstateOf } from './sqlstate.ts'

// A server of one's own, in a folder:
//
//   server/cluster    the data directory          owner       the process that stops the server
//   server/password   of the superuser, 0600      port        the port it had, wished for again
//   server.log        what the server says        native-...  its programs, where they had to be copied
//
// Whoever finds a server running there uses it. It is stopped by the process that started it; one whose starter was
// killed belongs to the next that comes by.

export interface EmbeddedServerOptions {
  /** Created when missing, but for the folders above it that only others may write. */
  readonly dataDir: string
  /** Gives up starting. */
  readonly signal?: AbortSignal
  /** Over the defaults, as in postgresql.conf. */
  readonly settings?: ServerSettings
  /** Another Postgres than the one that the installation brought. */
  readonly binaries?: Binaries
}

export interface EmbeddedServer {
  readonly dataDir: string
  readonly port: number
  /** False when it was found running. */
  readonly startedHere: boolean
  /** Whether stop() stops it: it was started here, or by a process that has died since. */
  readonly stopsHere: boolean
  /** With the password in it: for connecting, not for printing. */
  url(databaseName: string): string
  /** Creates the database unless there is one of this name. */
  ensureDatabase(name: string): Promise<void>
  stop(): Promise<void>
}

const patienceMs = 20_000

/**
 * Starts the Postgres in this folder, or finds it running. A warm start takes about 0.1 s, the first one about a second.
 * Throws `unavailable` when the folder cannot be used, or the server does not start.
 */
export async function startEmbeddedServer(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const dataDir = resolve(options.dataDir)
  const user = await chooseServerUser(join(clusterFolder(dataDir), 'cluster'))
  await prepareFolder(dataDir, user)
  const binaries = options.binaries ?? (await findEmbeddedBinaries(dataDir, user))
  const cluster = await openCluster(dataDir, binaries, user)
  const ownerFile = join(dataDir, 'owner')
  const deadline = Date.now() + patienceMs
  for (;;) {
    const running = await findRunning(cluster, options.signal)
    if (running !== null) {
      return serve({ dataDir, cluster, postmaster: running, startedHere: false, owned: await takeOwnership(ownerFile) })
    }
    // No server, but a living owner: it is about to start one, or to leave. After a while it is neither.
    if ((await takeOwnership(ownerFile)) || Date.now() > deadline) {
      await seizeOwnership(ownerFile)
      const postmaster = await startHere(dataDir, cluster, binaries, user, options).catch(async (error: unknown) => {
        await leaveOwnership(ownerFile)
        throw error
      })
      if (postmaster !== null) return serve({ dataDir, cluster, postmaster, startedHere: true, owned: true })
      if (Date.now() > deadline)
        throw new InterlockError('unavailable', `another server keeps ${dataDir} or its port busy`)
    }
    await sleep(50, undefined, options.signal === undefined ? {} : { signal: options.signal })
  }
}

async function startHere(
  dataDir: string,
  cluster: Cluster,
  binaries: Binaries,
  user: SystemUser | null,
  options: EmbeddedServerOptions,
): Promise<Postmaster | null> {
  const portFile = join(dataDir, 'port')
  const remembered = Number(await readFile(portFile, 'utf8').catch(() => '0'))
  const port = await choosePort(remembered > 0 ? remembered : null)
  const logFile = join(dataDir, 'server.log')
  const { settings = {}, signal } = options
  const postmaster = await startServer({ cluster, binaries, user, port, settings, logFile, signal })
  if (postmaster !== null && port !== remembered) await writeFile(portFile, `${port}\n`)
  return postmaster
}

function serve(running: {
  readonly dataDir: string
  readonly cluster: Cluster
  readonly postmaster: Postmaster
  readonly startedHere: boolean
  readonly owned: boolean
}): EmbeddedServer {
  const { dataDir, cluster, postmaster, startedHere, owned } = running
  const url = (databaseName: string) => urlOf(cluster, postmaster.port, databaseName)
  // A process that ends without stopping it (an exception nobody caught) can at least say so.
  const atExit = () => {
    try {
      process.kill(postmaster.pid, 'SIGINT')
    } catch {
      // It is gone already.
    }
  }
  if (owned) process.once('exit', atExit)
  let stopping: Promise<void> | null = null
  return {
    dataDir,
    port: postmaster.port,
    startedHere,
    stopsHere: owned,
    url,
    ensureDatabase: (name) => ensureDatabase(url('postgres'), name),
    stop() {
      if (!owned) return Promise.resolve()
      stopping ??= (async () => {
        await stopServer(cluster, postmaster)
        process.removeListener('exit', atExit)
        await leaveOwnership(join(dataDir, 'owner'))
      })()
      return stopping
    },
  }
}

// Waits for one that is starting or stopping to have done so.
async function findRunning(cluster: Cluster, signal: AbortSignal | undefined): Promise<Postmaster | null> {
  const deadline = Date.now() + patienceMs
  for (;;) {
    signal?.throwIfAborted()
    const postmaster = await findPostmaster(cluster.cluster)
    if (postmaster === null) return null
    if (postmaster.status === 'ready') {
      try {
        await knock(cluster, postmaster.port)
        return postmaster
      } catch (error) {
        if (sqlstateOf(error)?.startsWith('28') === true || Date.now() > deadline) throw error
      }
    }
    await sleep(20)
  }
}

async function knock(cluster: Cluster, port: number): Promise<void> {
  const connection = await Connection.open({ url: urlOf(cluster, port, 'postgres'), applicationName: 'interlock' })
  await connection.close()
}

function urlOf({ password }: Cluster, port: number, databaseName: string): string {
  return `postgres://${superuser}:${password}@127.0.0.1:${port}/${encodeURIComponent(databaseName)}`
}

async function ensureDatabase(url: string, name: string): Promise<void> {
  const connection = await Connection.open({ url, applicationName: 'interlock' })
  try {
    const found = await connection.query('select from pg_database where datname = $1', [name])
    if (found.length === 0) await connection.query(`create database ${pg.escapeIdentifier(name)}`)
  } catch (error) {
    // Two that create it at once: the loser is told that it exists, or that its name is taken.
    if (!['42P04', '23505'].includes(sqlstateOf(error) ?? '')) throw error
  } finally {
    await connection.close()
  }
}

async function prepareFolder(dataDir: string, user: SystemUser | null): Promise<void> {
  try {
    const firstCreated = await mkdir(dataDir, { recursive: true, mode: 0o700 })
    if (user !== null && firstCreated !== undefined) await openFolders(firstCreated, dataDir)
    await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)
    if (user === null || (await isReachableBy(dataDir, user, 'enter'))) return
    // One that was made for us, as by mkdtemp, may be given away; one with anything in it may not.
    if ((await readdir(dataDir)).length === 0) await chown(dataDir, user.uid, user.gid)
  } catch (error) {
    throw unusable(dataDir, (error as Error).message, error)
  }
  if (!(await isReachableBy(dataDir, user, 'enter'))) {
    throw unusable(dataDir, 'the user that Postgres runs as cannot enter it, since root may not run it')
  }
}

// The folders that we made on the way, whatever the umask said: the server's user has to come through.
async function openFolders(first: string, last: string): Promise<void> {
  for (let folder = last; ; folder = dirname(folder)) {
    await chmod(folder, 0o755)
    if (folder === first || folder === dirname(folder)) return
  }
}

function unusable(dataDir: string, why: string, cause?: unknown): InterlockError {
  return new InterlockError('unavailable', `the data folder ${dataDir} cannot be used: ${why}`, {
    hint: 'Choose another by --data-dir, or name a server of your own in DATABASE_URL.',
    cause,
  })
}
