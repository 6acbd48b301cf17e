import { spawn } from 'node:child_process'
import { open, readFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { InterlockError } from '../../domain/errors.ts'
import type { Binaries } from './binaries.ts'
import { type Cluster, serverEnvironment } from './cluster.ts'
import { findPostmaster, isPostmasterOf, type Postmaster } from './postmaster.ts'
import type { SystemUser } from './system-user.ts'

export type ServerSettings = Readonly<Record<string, string>>

// Given on the command line, so that a new release brings its settings to old clusters. fsync and synchronous_commit
// stay on: what was acknowledged is kept. JIT compiles for longer than any of our statements runs.
const defaultSettings: ServerSettings = {
  listen_addresses: '127.0.0.1',
  max_connections: '200',
  shared_buffers: '256MB',
  max_wal_size: '2GB',
  autovacuum_naptime: '10s',
  jit: 'off',
  cluster_name: 'interlock',
  log_line_prefix: '%m [%p] %a %d ',
}

const longestSocketPath = 103
const maxLogBytes = 10 * 1024 * 1024
const pollMs = 10
const shutdownMs = 30_000

/** Failures of a start that another look, or another port, may cure. */
const passingFailures =
  /lock file .* already exists|pre-existing shared memory block|could not bind|could not create any TCP\/IP sockets/

export interface StartOptions {
  readonly cluster: Cluster
  readonly binaries: Binaries
  readonly user: SystemUser | null
  readonly port: number
  readonly settings: ServerSettings
  readonly logFile: string
  readonly signal: AbortSignal | undefined
}

/**
 * Starts the server and waits until it takes connections; a recovery may take its time. Null when it gave up because
 * another one is there, or has the port. The server has a session of its own: Ctrl-C in the terminal is for the
 * program, which still needs it in order to stop well.
 */
export async function startServer(options: StartOptions): Promise<Postmaster | null> {
  const { cluster, logFile, signal } = options
  await rotate(logFile)
  const log = await open(logFile, 'a')
  const logStart = (await log.stat()).size
  const child = spawn(join(options.binaries.binFolder, 'postgres'), serverArguments(options), {
    ...options.user,
    cwd: '/',
    env: serverEnvironment,
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  })
  let ended: { readonly error?: Error } | null = null
  child.once('error', (error) => {
    ended = { error }
  })
  child.once('exit', () => {
    ended ??= {}
  })
  child.unref()
  await log.close()
  while (ended === null) {
    const postmaster = await findPostmaster(cluster.cluster)
    if (postmaster?.pid === child.pid && postmaster?.status === 'ready') return postmaster
    if (signal?.aborted === true) {
      child.kill('SIGQUIT')
      throw signal.reason
    }
    await sleep(pollMs)
  }
  const said = (await readFile(logFile)).subarray(logStart).toString().trim()
  if (passingFailures.test(said)) return null
  const { error } = ended as { readonly error?: Error }
  throw new InterlockError('unavailable', `the embedded Postgres did not start: ${error?.message ?? reasonIn(said)}`, {
    hint: `Its log is ${logFile}.`,
    cause: error,
  })
}

/** Stops the server in the way that keeps everything: open transactions roll back, the rest is written. */
export async function stopServer(cluster: Cluster, { pid }: Postmaster): Promise<void> {
  const deadline = Date.now() + shutdownMs
  let signal: NodeJS.Signals | null = 'SIGINT'
  while (await isPostmasterOf(pid, cluster.cluster)) {
    // What does not stop in time is cut off, which the next start recovers from.
    if (signal === null && Date.now() > deadline) signal = 'SIGQUIT'
    if (signal !== null) process.kill(pid, signal)
    signal = null
    await sleep(pollMs)
  }
}

function serverArguments({ cluster, port, settings }: StartOptions): string[] {
  const socket = join(cluster.folder, `.s.PGSQL.${port}`)
  const all: ServerSettings = {
    ...defaultSettings,
    port: String(port),
    unix_socket_directories: Buffer.byteLength(socket) <= longestSocketPath ? cluster.folder : '',
    ...settings,
  }
  return ['-D', cluster.cluster, ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
}

async function rotate(logFile: string): Promise<void> {
  const size = await stat(logFile).then(
    (found) => found.size,
    () => 0,
  )
  if (size > maxLogBytes) await rename(logFile, `${logFile}.1`)
}

function reasonIn(log: string): string {
  const lines = log.split('\n')
  const fatal = lines.find((line) => /\b(FATAL|PANIC):/.test(line)) ?? lines.at(-1) ?? ''
  return fatal.replace(/^.*\b(?:FATAL|PANIC):\s*/, '') || 'it ended without a word'
}
