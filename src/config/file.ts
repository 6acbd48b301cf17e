import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parse, TomlError } from 'smol-toml'
import { type Entry, entriesOfFile } from './layer.ts'
import type { Problem } from './problem.ts'
import { locateTomlKeys, type SettingPath } from './toml-lines.ts'

export interface FileLayer {
  readonly entries: readonly Entry[]
  readonly problems: readonly Problem[]
}

/**
 * What a TOML file says. `shownAs` is the name that problems carry (as the person wrote it). Paths in the file are
 * relative to the file, so they are made absolute here, where the file is still known.
 */
export function readFileLayer(file: string, shownAs: string): FileLayer {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    const message = isMissing ? 'does not exist' : `cannot be read: ${describe(error)}`
    return { entries: [], problems: [{ place: shownAs, setting: null, message, suggestion: null }] }
  }
  try {
    const folder = dirname(resolve(file))
    const entries = entriesOfFile(parse(text), shownAs, locateTomlKeys(text))
    return { entries: entries.map((entry) => resolvePaths(entry, folder)), problems: [] }
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const place = `${shownAs}:${error.line}:${error.column}`
    // The rest of the message is a drawing of the line; the place says it better.
    const reason = error.message.split('\n')[0]?.replace(/^Invalid TOML document: /, '') ?? 'unknown'
    return { entries: [], problems: [{ place, setting: null, message: `is not TOML: ${reason}`, suggestion: null }] }
  }
}

/** An entry whose value is a path, made absolute from a folder. */
export function resolvePaths(entry: Entry, folder: string): Entry {
  const { path, value } = entry
  if (isPathSetting(path) && typeof value === 'string') return { ...entry, value: resolve(folder, value) }
  if (isCommand(path) && Array.isArray(value)) {
    const [program, ...args] = value as unknown[]
    // Only a program written as a path: a bare name is looked up in PATH, and an argument is the program's business.
    const isRelative = typeof program === 'string' && /^\.\.?\//.test(program)
    if (isRelative) return { ...entry, value: [resolve(folder, program), ...args] }
  }
  return entry
}

function isPathSetting(path: SettingPath): boolean {
  if (path.join('.') === 'database.data_dir') return true
  return path[0] === 'tasks' && path.length === 3 && (path[2] === 'cwd' || path[2] === 'module')
}

function isCommand(path: SettingPath): boolean {
  return path[0] === 'tasks' && path.length === 3 && path[2] === 'command'
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
