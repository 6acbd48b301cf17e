#!/usr/bin/env node
import { enableCompileCache } from 'node:module'

// The process: signals, streams, and the exit code. The first Ctrl-C, SIGTERM or closed terminal asks for an orderly
// stop, the second ends it at once.

/** npm and launchers pass on a signal that the terminal has sent to everybody: twice within this is once. */
const samePressMs = 500
const codesAtOnce = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const

const interruption = new AbortController()
let firstSignalAt: number | null = null
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    const now = performance.now()
    if (firstSignalAt !== null && now - firstSignalAt > samePressMs) process.exit(codesAtOnce[signal])
    firstSignalAt ??= now
    interruption.abort(new Error(`stopped by ${signal}`))
  })
}

// Whoever reads us may have read enough (| head), or the terminal is closed: that is an end like Ctrl-C, not an error.
let isReaderGone = false
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
    isReaderGone = true
    interruption.abort(error)
  })
}

// Two thirds of the time of a short command went into reading and compiling its own source (0.29 s, with this 0.11):
// it is kept for the next one, in the system's folder for such things. What comes after this is loaded through it.
enableCompileCache()
const { runProgram } = await import('./cli/program.ts')
const { createTerminal } = await import('./cli/terminal.ts')
const { readTerminalPreferences } = await import('./config.ts')
const { programVersion } = await import('./store/program-version.ts')

const exitCode = await runProgram(process.argv.slice(2), {
  version: programVersion,
  terminal: createTerminal({ stdout: process.stdout, stderr: process.stderr, ...readTerminalPreferences() }),
  signal: interruption.signal,
  // Loaded when it is needed: a command that asks one question does not wait for Postgres, Express and pino to load.
  createApp: async (...given) => (await import('./app.ts')).createApp(...given),
  serveMcp: async (...given) => (await import('./mcp/mcp-process.ts')).serveMcp(...given),
})

// What is still in a pipe is written before the process ends; a handle that somebody forgot does not keep it.
await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((done) => stream.write('', done))))
process.exit(isReaderGone ? 0 : exitCode)
