#!/usr/bin/env node
// The command `interlock`: in a clone it runs the TypeScript source as it is, in a published package the
// built program. Plain JavaScript, because the Node that finds it may be too old for the program itself;
// then the one that the installation brought takes over.

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** @param {string} path */
const fromRoot = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))

const source = fromRoot('src/main.ts')
const program = existsSync(source) ? source : fromRoot('dist/main.js')
const bundledNode = fromRoot('node_modules/.bin/node')
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major > 22 || (major === 22 && minor >= 18)) {
  process.argv[1] = program
  await import(program)
} else if (existsSync(bundledNode)) {
  const child = spawn(bundledNode, [program, ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => child.kill(signal))
  }
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (signal === 'SIGINT' ? 2 : signal === 'SIGTERM' ? 15 : 9)
  })
} else {
  console.error(`interlock needs Node 22.18 or later; this is ${process.versions.node}`)
  process.exitCode = 1
}
