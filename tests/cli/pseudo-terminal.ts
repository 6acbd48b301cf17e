import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { afterAll } from 'vitest'
import { waitFor } from '../support/wait-for.ts'
import { temporaryFolder } from './run-cli.ts'

const interlock = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const running = new Set<ChildProcess>()

afterAll(() => {
  for (const child of running) child.kill('SIGKILL')
})

/** `script` of util-linux makes a pseudo-terminal; BSD's takes other options. */
export const hasPseudoTerminal = spawnSync('script', ['--version']).stdout?.toString().includes('util-linux') === true

export interface TerminalRun {
  /** All that was written to the terminal so far, as it came. */
  readonly raw: () => string
  /** Types, as a person does. */
  type(text: string): void
  /** Waits until a text is written that was not there when this was called, or `since` so many characters. */
  sees(text: string | RegExp, options?: { readonly since?: number }): Promise<void>
  resize(columns: number, rows: number): void
  kill(signal: NodeJS.Signals): void
  ended(): Promise<number | null>
}

export interface TerminalOptions {
  readonly columns: number
  readonly rows: number
  readonly env: Readonly<Record<string, string>>
  readonly args: readonly string[]
  /** Ours, unless set. */
  readonly program?: string
}

/** A command on a terminal of its own, whose settings are printed before and after it, to be compared. */
export async function runOnTerminal({
  columns,
  rows,
  env,
  args,
  program = interlock,
}: TerminalOptions): Promise<TerminalRun> {
  const shell = [
    `stty rows ${rows} cols ${columns}`,
    'echo "tty $(tty) before $(stty -g)"',
    `sh -c 'echo "pid $$"; exec "$NODE" "$PROGRAM" ${args.join(' ')}'`,
    'code=$?',
    'echo "after $(stty -g)"',
    'exit $code',
  ].join('; ')
  const child = spawn('script', ['-qefc', shell, '/dev/null'], {
    cwd: await temporaryFolder(),
    env: {
      ...{ PATH: process.env.PATH, HOME: tmpdir(), USER: 'tester', TERM: 'xterm-256color', SHELL: '/bin/sh' },
      ...{ NODE: process.execPath, PROGRAM: program },
      ...env,
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  running.add(child)
  let raw = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    raw += text
  })
  child.stdin.on('error', () => undefined)
  const ended = new Promise<number | null>((resolve) => {
    child.on('close', (code) => {
      running.delete(child)
      resolve(code)
    })
  })
  return {
    raw: () => raw,
    type: (text) => void child.stdin.write(text),
    async sees(text, { since = 0 } = {}) {
      const seen = () => stripVTControlCharacters(raw.slice(since))
      const isThere = () => (typeof text === 'string' ? seen().includes(text) : text.test(seen()))
      await waitFor(isThere, { timeoutMs: 30_000, what: `the terminal shows ${text}` }).catch((error: unknown) => {
        throw new Error(`${String(error)}\nit shows: ${seen()}`)
      })
    },
    resize(columns, rows) {
      const [, tty = ''] = /tty (\S+)/.exec(raw) ?? []
      spawnSync('stty', ['-F', tty, 'rows', String(rows), 'cols', String(columns)], { stdio: 'inherit' })
    },
    kill(signal) {
      const [, pid] = /pid (\d+)/.exec(raw) ?? []
      process.kill(Number(pid), signal)
    },
    ended: () => ended,
  }
}
