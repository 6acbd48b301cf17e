/** A path into the configuration: `['queues', 'high', 'max_attempts']`. */
export type SettingPath = readonly string[]

/**
 * The line (from 1) on which each key of a TOML text stands, by its path joined with NUL.
 *
 * The parser says where a syntax error is but not where a value came from, and "line 12" is what a person needs.
 * This reads headers and keys only; it may be approximate inside multi-line strings, never wrong about the value.
 */
export function locateTomlKeys(text: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>()
  let table: string[] = []
  let openUntil: string | null = null
  for (const [index, line] of text.split('\n').entries()) {
    if (openUntil !== null) {
      if (line.includes(openUntil)) openUntil = null
      continue
    }
    const header = /^\s*\[\[?(?<path>.+?)\]\]?\s*(?:#.*)?$/.exec(line)?.groups?.path
    if (header !== undefined && !line.includes('=')) {
      table = readKey(header)
      remember(lines, table, index + 1)
      continue
    }
    const key =
      /^\s*(?<path>(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*'))*)\s*=(?<value>.*)$/
    const found = key.exec(line)?.groups
    if (found?.path === undefined) continue
    remember(lines, [...table, ...readKey(found.path)], index + 1)
    openUntil = openDelimiter(found.value ?? '')
  }
  return lines
}

/** The line of a path, or of the nearest table around it that has one. */
export function lineOf(lines: ReadonlyMap<string, number>, path: SettingPath): number | null {
  for (let length = path.length; length > 0; length -= 1) {
    const line = lines.get(pathKey(path.slice(0, length)))
    if (line !== undefined) return line
  }
  return null
}

/** A path as one string that no key can imitate: a resource's name holds dots and colons, never a NUL. */
export function pathKey(path: SettingPath): string {
  return path.join('\0')
}

function remember(lines: Map<string, number>, path: SettingPath, line: number): void {
  const key = pathKey(path)
  if (!lines.has(key)) lines.set(key, line)
}

function readKey(text: string): string[] {
  const parts = text.match(/"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+/g) ?? []
  return parts.map((part) => (part.startsWith('"') || part.startsWith("'") ? part.slice(1, -1) : part))
}

function openDelimiter(value: string): string | null {
  for (const delimiter of ['"""', "'''"]) {
    if (value.split(delimiter).length === 2) return delimiter
  }
  return null
}
