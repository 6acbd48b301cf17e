import { stripVTControlCharacters } from 'node:util'

/**
 * What came from jobs and agents, fit for a screen: all its texts, however deep, without control characters and
 * without the marks that turn the direction of writing. A job's description or output could otherwise move the cursor,
 * clear the screen, or show a name other than the one that is cancelled. Line breaks stay.
 */
export function printable<Value>(value: Value): Value {
  return walk(value) as Value
}

function walk(value: unknown): unknown {
  if (typeof value === 'string') return printableText(value)
  if (Array.isArray(value)) return value.map(walk)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [printableText(key), walk(inner)]))
}

function printableText(text: string): string {
  // Nearly all texts are plain: a look is cheaper than three replacements.
  if (/^[\x20-\x7e]*$/.test(text)) return text
  return stripVTControlCharacters(text)
    .replace(/\r\n/g, '\n')
    .replace(/\t/g, '  ')
    .replace(/(?!\n)\p{Cc}/gu, '')
    .replace(/[\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/gu, '')
}
