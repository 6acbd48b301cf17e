/**
 * Text and JSON that Postgres can store. A process may print anything; text and jsonb refuse NUL, and jsonb half a
 * surrogate pair, so that one odd byte would cost a job its whole output or result.
 */
export function storableText(text: string): string {
  return text.toWellFormed().replaceAll('\u0000', '\uFFFD')
}

const depthMax = 64

export type StorableJson =
  | { readonly ok: true; readonly json: unknown }
  | { readonly ok: false; readonly problem: string }

/** Parses JSON of a job into what jsonb takes, or says why not. Deeper than 64 levels is refused. */
export function parseStorableJson(text: string, limits: { readonly bytesMax: number }): StorableJson {
  if (Buffer.byteLength(text) > limits.bytesMax)
    return { ok: false, problem: `is longer than ${limits.bytesMax} bytes` }
  try {
    return { ok: true, json: repaired(JSON.parse(text), 0) }
  } catch (error) {
    return { ok: false, problem: error instanceof RangeError ? error.message : 'is not JSON' }
  }
}

function repaired(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return storableText(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= depthMax) throw new RangeError(`is nested deeper than ${depthMax} levels`)
  if (Array.isArray(value)) return value.map((item) => repaired(item, depth + 1))
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [storableText(key), repaired(item, depth + 1)]))
}
