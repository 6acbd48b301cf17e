import fc from 'fast-check'
import { expect, test } from 'vitest'
import { maxJsonDepth, refuseUnsafeJson } from '../../src/domain/safe-json.ts'

const nested = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`)

test('harmless JSON of any shape passes', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6, noUnicodeString: false }), (value) => {
      const text = JSON.stringify(value)
      fc.pre(!/__proto__|constructor|prototype|\\u0000|\\ud[89a-f]/i.test(text))
      refuseUnsafeJson(JSON.parse(text))
    }),
  )
})

test.each(['__proto__', 'constructor', 'prototype'])(
  'a key %s is refused wherever it is, and its place is named',
  (key) => {
    expect(() => refuseUnsafeJson(JSON.parse(`{"a":[{"b":{"${key}":1}}]}`))).toThrow(
      `a[0].b.${key} is a key that is not accepted`,
    )
    refuseUnsafeJson({ value: key })
  },
)

test('what is nested too deep is refused, be it a little or enough to overflow a stack', () => {
  refuseUnsafeJson(nested(maxJsonDepth))
  expect(() => refuseUnsafeJson(nested(maxJsonDepth + 1))).toThrow(/deeper than 64/)
  expect(() => refuseUnsafeJson(nested(200_000))).toThrow(/deeper than 64/)
})

test('text that Postgres cannot store is refused, as a value and as a key', () => {
  expect(() => refuseUnsafeJson({ a: 'x\u0000' })).toThrow('a holds a NUL')
  expect(() => refuseUnsafeJson({ 'a\u0000': 1 })).toThrow(/NUL/)
  expect(() => refuseUnsafeJson(['\ud800'])).toThrow('[0] holds half a surrogate pair')
})
