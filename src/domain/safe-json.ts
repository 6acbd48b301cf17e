import { ContractError, fieldName } from './contract.ts'

/** Deeper than any honest payload, and shallow enough for every recursive reader behind us. */
export const maxJsonDepth = 64

/**
 * Keys that change an object instead of describing it, when somebody later merges it carelessly: refused at the door,
 * since we cannot know who reads a payload.
 */
const refusedKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * Refuses parsed JSON that is legal as JSON and harmful behind us: refused keys, a depth that overflows a stack, and
 * strings that Postgres cannot store (NUL, half a surrogate pair). Throws a ContractError that names the place.
 */
export function refuseUnsafeJson(root: unknown): void {
  // A stack of its own: recursion would itself overflow on what this is to refuse.
  const open: { readonly value: unknown; readonly path: readonly PropertyKey[] }[] = [{ value: root, path: [] }]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, path } = next
    if (typeof value === 'string') refuseText(value, path)
    if (typeof value !== 'object' || value === null) continue
    if (path.length >= maxJsonDepth) refuse(path.slice(0, 3), `is nested deeper than ${maxJsonDepth} levels`)
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) open.push({ value: item, path: [...path, index] })
      continue
    }
    for (const [key, item] of Object.entries(value)) {
      refuseText(key, path)
      if (refusedKeys.has(key)) refuse([...path, key], 'is a key that is not accepted')
      open.push({ value: item, path: [...path, key] })
    }
  }
}

function refuseText(text: string, path: readonly PropertyKey[]): void {
  if (text.includes('\u0000')) refuse(path, 'holds a NUL character, which cannot be stored')
  if (!text.isWellFormed()) refuse(path, 'holds half a surrogate pair, which cannot be stored')
}

function refuse(path: readonly PropertyKey[], message: string): never {
  throw new ContractError([{ field: fieldName(path), message }])
}
