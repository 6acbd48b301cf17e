import { lineOf, pathKey, type SettingPath } from './toml-lines.ts'

type KeyLines = ReadonlyMap<string, number>

/** Where a value came from. */
export type Origin =
  | { readonly kind: 'default' }
  | { readonly kind: 'file'; readonly file: string; readonly line: number | null; readonly lines: KeyLines }
  | { readonly kind: 'environment'; readonly variable: string }
  | { readonly kind: 'flag'; readonly flag: string }

/** One source's say about one setting. */
export interface Entry {
  readonly path: SettingPath
  readonly value: unknown
  readonly origin: Origin
}

/** All sources laid over each other, later ones on top, with the origin of what won. */
export interface Merged {
  readonly values: Record<string, unknown>
  originOf(path: SettingPath): Origin
}

/** The leaves of a nested table as entries; an empty table is one too, so that `[tasks.x]` without keys is seen. */
export function entriesOf(values: object, originAt: (path: SettingPath) => Origin, prefix: SettingPath = []): Entry[] {
  return Object.entries(values).flatMap(([key, value]) => {
    const path = [...prefix, key]
    if (isTable(value) && Object.keys(value).length > 0) return entriesOf(value, originAt, path)
    return [{ path, value, origin: originAt(path) }]
  })
}

/** A file's values as entries with their lines. */
export function entriesOfFile(values: object, file: string, lines: KeyLines): Entry[] {
  return entriesOf(values, (path) => ({ kind: 'file', file, line: lineOf(lines, path), lines }))
}

export function mergeEntries(layers: readonly (readonly Entry[])[]): Merged {
  const values = emptyTable()
  const origins = new Map<string, Origin>()
  for (const { path, value, origin } of layers.flat()) {
    if (place(values, path, value)) origins.set(pathKey(path), origin)
  }
  return {
    values,
    originOf(path) {
      // A problem may be reported inside a list or at a table: the nearest value below or above it tells the place.
      for (let length = path.length; length > 0; length -= 1) {
        const key = pathKey(path.slice(0, length))
        const exact = origins.get(key)
        if (exact !== undefined) return exact
        const inside = [...origins].find(([known, origin]) => known.startsWith(`${key}\0`) && origin.kind !== 'default')
        if (inside !== undefined) return atTable(inside[1], path.slice(0, length))
      }
      return { kind: 'default' }
    },
  }
}

/** How an origin is written before a problem or beside a value. */
export function describeOrigin(origin: Origin): string {
  switch (origin.kind) {
    case 'default':
      return 'default'
    case 'environment':
      return origin.variable
    case 'flag':
      return origin.flag
    case 'file':
      return origin.line === null ? origin.file : `${origin.file}:${origin.line}`
  }
}

/** The place of a table, which has none of its own: its header's line in the file that says something inside it. */
function atTable(origin: Origin, path: SettingPath): Origin {
  return origin.kind === 'file' ? { ...origin, line: lineOf(origin.lines, path) } : origin
}

function place(root: Record<string, unknown>, path: SettingPath, value: unknown): boolean {
  let table = root
  for (const key of path.slice(0, -1)) {
    const inner = table[key] ?? emptyTable()
    // A value stands where a table belongs: keep it, the schema will name it.
    if (!isTable(inner)) return false
    table[key] = inner
    table = inner
  }
  const last = path.at(-1)
  if (last === undefined) return false
  // An empty table never wipes out what an earlier source put into it.
  if (isTable(value)) table[last] ??= emptyTable()
  else table[last] = value
  return true
}

/** Without a prototype, so that a key named __proto__ is a key like any other, and refused as unknown. */
function emptyTable(): Record<string, unknown> {
  return Object.create(null) as Record<string, unknown>
}

function isTable(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}
