// Installs the dependencies when node_modules is missing or does not fit the lock file, then ends;
// the npm script goes on with the Node that the installation brought. Plain JavaScript without
// dependencies, because in a fresh clone it runs on whatever Node (>= 20) the machine has.

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const lockFile = join(root, 'package-lock.json')
const modules = join(root, 'node_modules')
const stamp = join(modules, '.interlock-installed')
const busy = join(root, '.interlock', 'install.pid')

/** @param {string} path */
function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

/** @param {string} path */
function changedAt(path) {
  return existsSync(path) ? statSync(path).mtimeMs : 0
}

function digest() {
  return createHash('sha256').update(readFileSync(lockFile)).digest('hex')
}

// The digest decides, not the time alone: a checkout gives an unchanged lock file a new time. An
// installation made by hand leaves no stamp; npm's own record, newer than the lock file, stands for it.
function isInstalled() {
  if (!existsSync(join(modules, '.bin', 'node'))) return false
  if (read(stamp) === digest()) return true
  if (changedAt(join(modules, '.package-lock.json')) < changedAt(lockFile)) return false
  writeFileSync(stamp, digest())
  return true
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM'
  }
}

// A file that is linked into place appears whole or not at all; whoever links it installs. One left by a
// process that died is moved away first, and put back if it turns out to be a living one's.
function takeTurn() {
  mkdirSync(dirname(busy), { recursive: true })
  const mine = `${busy}.${process.pid}`
  const holder = Number(read(busy) ?? 0)
  if (holder > 0 && !isAlive(holder)) {
    try {
      renameSync(busy, mine)
      if (Number(read(mine)) !== holder) linkSync(mine, busy)
    } catch {
      // Somebody else was quicker.
    }
  }
  writeFileSync(mine, String(process.pid))
  try {
    linkSync(mine, busy)
    return true
  } catch {
    return false
  } finally {
    unlinkSync(mine)
  }
}

async function install() {
  console.error('interlock: installing dependencies (once, about a minute) …')
  const started = Date.now()
  const npm = process.env.npm_execpath
  const flags = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']
  const [program, programFlags] = npm?.endsWith('.js') === true ? [process.execPath, [npm, ...flags]] : ['npm', flags]
  // What npm sets for its scripts would reach the inner npm as configuration.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(lifecycle|package)_/.test(name)),
  )
  const child = spawn(program, programFlags, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
  // An installation that went on without us would meet the next one.
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
    process.on(signal, () => child.kill(signal))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text
    })
  }
  const code = await new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('close', resolve)
  })
  if (code !== 0 || !existsSync(join(modules, '.bin', 'node'))) {
    console.error(output.trim())
    if (code === 0) console.error('the package "node" brought no program: are install scripts switched off?')
    console.error(`interlock: installing failed (${code ?? 'stopped'}); \`npm ci\` shows why`)
    process.exit(1)
  }
  writeFileSync(stamp, digest())
  console.error(`interlock: installed in ${Math.round((Date.now() - started) / 1000)} s`)
}

while (!isInstalled()) {
  if (takeTurn()) {
    const giveUp = () => rmSync(busy, { force: true })
    process.on('exit', giveUp)
    if (!isInstalled()) await install()
    break
  }
  await new Promise((resolve) => setTimeout(resolve, 200))
}
