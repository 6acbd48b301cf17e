import fc from 'fast-check'

/** A body that no operation takes, whatever it is sent to. */
export interface HostileBody {
  readonly what: string
  readonly bytes: Buffer
}

const text = (what: string, body: string): HostileBody => ({ what, bytes: Buffer.from(body) })

/** Never a field of anything. */
const poison = fc.stringMatching(/^[a-z]{3,12}$/).map((word) => `x_${word}_x`)

const junk = fc.jsonValue({ maxDepth: 5, stringUnit: 'grapheme' })

/** Harmless but for one field that nobody knows. */
const unknownField = fc
  .tuple(fc.dictionary(fc.constantFrom('task', 'user', 'token', 'jobs', 'name', 'limit', 'reason'), junk), poison, junk)
  .map(([others, name, value]) => text('an unknown field', JSON.stringify({ ...others, [name]: value })))

const deep = fc
  .tuple(fc.integer({ min: 65, max: 200_000 }), fc.constantFrom('[', '{"a":'))
  .map(([depth, open]) => text(`${depth} levels of ${open}`, open.repeat(depth)))

const closedDeep = fc
  .integer({ min: 65, max: 20_000 })
  .map((depth) => text(`${depth} levels, closed`, `{"payload":${'['.repeat(depth)}${']'.repeat(depth)}}`))

const wide = fc
  .integer({ min: 1000, max: 60_000 })
  .map((count) =>
    text(`${count} unknown fields`, `{${Array.from({ length: count }, (_, n) => `"k${n}":${n}`).join(',')}}`),
  )

const long = fc
  .tuple(fc.integer({ min: 300_000, max: 1_100_000 }), fc.constantFrom('a', '\\u0000', '\\ud800', 'é', '1'))
  .map(([size, unit]) =>
    text(`${size} bytes of ${unit}`, `{"x_long_x":"${unit.repeat(Math.ceil(size / unit.length))}"}`),
  )

const cutShort = unknownField.chain(({ bytes }) =>
  fc
    .integer({ min: 1, max: Math.max(1, bytes.length - 1) })
    .map((length) => ({ what: 'cut short', bytes: bytes.subarray(0, length) })),
)

const noise = fc
  .uint8Array({ minLength: 1, maxLength: 400 })
  .map((bytes) => ({ what: 'noise', bytes: Buffer.concat([Buffer.from([0xff]), bytes]) }))

const proto = fc
  .constantFrom('__proto__', 'constructor', 'prototype')
  .map((key) => text(key, `{"task":"work","payload":{"a":{"${key}":{"is_admin":true}}}}`))

const scalar = fc
  .constantFrom('0', '-1', '1e400', '"text"', 'true', '[]', '[[]]', '[null]', '""', '{"":""}', 'NaN', '﻿{}x')
  .map((body) => text(body, body))

/** What is sent to HTTP as it is. */
export const hostileBodies: fc.Arbitrary<HostileBody> = fc.oneof(
  { weight: 30, arbitrary: unknownField },
  { weight: 10, arbitrary: cutShort },
  { weight: 10, arbitrary: noise },
  { weight: 8, arbitrary: scalar },
  { weight: 4, arbitrary: proto },
  { weight: 2, arbitrary: deep },
  { weight: 2, arbitrary: closedDeep },
  { weight: 1, arbitrary: wide },
  { weight: 1, arbitrary: long },
)

/** The same behind a door that has an envelope: as a request of JSON-RPC, as a call of a tool, or as no envelope at all. */
export function enveloped(methods: readonly string[], wrap: (method: string, given: unknown) => unknown) {
  const request = fc
    .tuple(fc.constantFrom(...methods, 'nonsense', '__proto__', ''), fc.dictionary(poison, junk, { minKeys: 1 }))
    .map(([method, given]) => wrap(method, given))
  const one = request.map((body) => text('a request', JSON.stringify(body)))
  const many = fc.array(request, { minLength: 2, maxLength: 5 }).map((body) => text('a batch', JSON.stringify(body)))
  return fc.oneof(
    { weight: 6, arbitrary: one },
    { weight: 1, arbitrary: many },
    { weight: 3, arbitrary: hostileBodies },
  )
}
