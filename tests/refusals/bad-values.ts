// Values that fit the type of an argument and nothing else, as SQL expressions.

const long = `repeat('x', 100000)`

const badTexts = [
  'null',
  `''`,
  `' '`,
  `'nobody'`,
  `E'a\\x01b'`,
  `E'a\\nb'`,
  long,
  `'*'`,
  `'user:*'`,
  `'rate:user:ann'`,
  `'🔥'`,
]
const badIntegers = ['null', '-1', '0', '2147483647', '-2147483648']
const badNumbers = ['null', '-1', '0', `'NaN'`, `'Infinity'`, `'-Infinity'`, '1e30']
const many = `(select array_agg(n::text) from generate_series(1, 20000) as n)`

const badDocuments = [
  'null',
  `'null'`,
  `'1'`,
  `'true'`,
  `'"x"'`,
  `'[]'`,
  `'{}'`,
  `'[null]'`,
  `'[[1]]'`,
  `'[1e300]'`,
  `'{"nonsense": 1}'`,
  `'{"": null}'`,
  `jsonb_build_object('message', ${long})`,
  `(select jsonb_agg(n) from generate_series(1, 20000) as n)`,
]

/** By the type's name, as format_type() says it. A type that is missing here fails the test that looks for it. */
export const badValues: Readonly<Record<string, readonly string[]>> = {
  text: badTexts,
  integer: badIntegers,
  bigint: ['null', '-1', '0', '9223372036854775807', '-9223372036854775808'],
  'double precision': [...badNumbers, '1e300'],
  real: badNumbers,
  boolean: ['null'],
  bytea: ['null', `''`, `'x'`, `sha256('x') || 'x'`, `convert_to(repeat('x', 100000), 'UTF8')`],
  uuid: ['null', `'00000000-0000-0000-0000-000000000000'`, 'gen_random_uuid()'],
  jsonb: badDocuments,
  'text[]': [
    'null',
    `'{}'`,
    `'{null}'`,
    `'{""}'`,
    `'{nobody}'`,
    `'{{a,b},{c,d}}'`,
    `'{user:ann,user:ann}'`,
    many,
    `array[${long}]`,
    `'[5:5]={nobody}'`,
  ],
  'bigint[]': ['null', `'{}'`, `'{null}'`, `'{-1}'`, `'{1,2,3}'`, `'{{1,2},{3,4}}'`],
  'jsonb[]': ['null', `'{}'`, `'{null}'`, `array['1', '2', '3']::jsonb[]`, `array[to_jsonb(repeat('x', 2000000))]`],
  'timestamp with time zone[]': [
    'null',
    `'{}'`,
    `'{null}'`,
    `'{infinity}'`,
    `'{2030-01-01, 2029-01-01}'`,
    `'{-infinity}'`,
  ],
  'timestamp with time zone': ['null', `'-infinity'`, `'infinity'`, `'4713-01-01 BC'`, `'294276-01-01'`],
}

/** Values of a field in a document. */
export const badFields: readonly string[] = [
  'null',
  'true',
  '-1',
  '0',
  '0.5',
  '1e300',
  '-1e300',
  '"x"',
  '""',
  '" "',
  '"a\\u0001b"',
  '"🔥"',
  '"infinity"',
  '"NaN"',
  '[]',
  '[null]',
  '[[]]',
  '["x"]',
  '[1e300]',
  '{}',
  '{"x": null}',
  `"${'x'.repeat(300_000)}"`,
]

/** Values of a parameter in a query. */
export const badParameters: readonly string[] = [
  '',
  ' ',
  '-1',
  '0',
  '1e9',
  '99999999999999999999',
  'nonsense',
  'a\u0000b',
  'a\nb',
  '🔥',
  `'; drop table interlock.jobs; --`,
  'x'.repeat(5000),
]

/** Parts of a path, as they stand in it. */
export const badPathParts: readonly string[] = [
  'nobody',
  '%00',
  '%20',
  '%0A',
  '..%2f..',
  '%F0%9F%94%A5',
  '%E0%A4%A',
  `'`,
  'x'.repeat(5000),
]
