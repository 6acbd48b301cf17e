import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'
import { waitFor } from '../support/wait-for.ts'

const program = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

export interface CliResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>
  /** A folder without interlock.toml unless set. */
  readonly cwd?: string
  readonly stdin?: string
}

/** A command that runs, with what it has said so far. */
export interface RunningCli {
  readonly process: ChildProcess
  readonly pid: number
  stdout(): string
  stderr(): string
  /** Waits until stdout has said it. */
  sees(text: string | RegExp, timeoutMs?: number): Promise<void>
  kill(signal: NodeJS.Signals): void
  ended(): Promise<CliResult>
}

const folders: string[] = []
const running = new Set<ChildProcess>()

afterAll(async () => {
  for (const child of running) child.kill('SIGKILL')
  for (const folder of folders) await rm(folder, { recursive: true, force: true })
})

export async function temporaryFolder(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'interlock-cli-'))
  folders.push(folder)
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  return folder
}

/** Runs a command as a person's script does: a process, pipes instead of a terminal, 80 columns, a clean environment. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return (await startCli(args, options)).ended()
}

export async function startCli(args: readonly string[], options: CliOptions = {}): Promise<RunningCli> {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: options.cwd ?? (await temporaryFolder()),
    env: { PATH: process.env.PATH, HOME: tmpdir(), USER: 'tester', COLUMNS: '80', NO_COLOR: '1', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  running.add(child)
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.stdin ?? '')
  const ended = new Promise<CliResult>((resolve) => {
    child.on('close', (code) => {
      running.delete(child)
      resolve({ code, stdout, stderr })
    })
  })
  return {
    process: child,
    pid: child.pid ?? 0,
    stdout: () => stdout,
    stderr: () => stderr,
    sees: async (text, timeoutMs = 15_000) => {
      const hasSaid = () => (typeof text === 'string' ? stdout.includes(text) : text.test(stdout))
      await waitFor(hasSaid, { timeoutMs, what: `stdout says ${text}` }).catch((error: unknown) => {
        throw new Error(`${String(error)}\nstdout: ${stdout}\nstderr: ${stderr}`)
      })
    },
    kill: (signal) => void child.kill(signal),
    ended: () => ended,
  }
}
