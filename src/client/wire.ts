/**
 * What the store hands out, in the words of the wire: so that a caller is told the same whether it asked over HTTP or
 * the database itself.
 */

/** The shape with snake_case keys, and times as the wire has them. */
export type Wire<Row> = { readonly [Key in keyof Row as SnakeCase<Key & string>]: WireValue<Row[Key]> }

type SnakeCase<Text extends string> = Text extends `${infer First}${infer Rest}`
  ? `${First extends Uppercase<First> ? (First extends Lowercase<First> ? First : `_${Lowercase<First>}`) : First}${SnakeCase<Rest>}`
  : Text

type WireValue<Value> = Value extends Date ? string : Value

/** The object's own keys in snake_case, its times in ISO 8601; what is inside its values stays as it is. */
export function asWire<Row extends object>(row: Row): Wire<Row> {
  const entries = Object.entries(row).map(([key, value]: [string, unknown]) => [
    key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    value instanceof Date ? value.toISOString() : value,
  ])
  return Object.fromEntries(entries) as Wire<Row>
}
