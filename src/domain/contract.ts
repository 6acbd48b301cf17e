import { z } from 'zod'
import { InterlockError } from './errors.ts'
import { suggestWord } from './suggestion.ts'

/** One thing wrong with what a caller sent: `message` continues the field's name (`must be at most 3`). */
export interface Violation {
  readonly field: string
  readonly message: string
  /** The way out, where we can guess it: the known field that a misspelt one was meant to be. */
  readonly hint?: string
}

/** What a caller sent breaks its contract. Carries every violation at once, the first one as the error's field. */
export class ContractError extends InterlockError {
  readonly violations: readonly Violation[]

  constructor(violations: readonly Violation[]) {
    const [first] = violations
    super('invalid_argument', violations.map((violation) => sentence(violation)).join('; '), {
      field: first?.field || null,
      hint: first?.hint ?? null,
    })
    this.violations = violations
  }
}

/**
 * So many are told of one request. Sixty thousand unknown fields cost fifty times an ordinary request when each was
 * compared with all known ones, and nobody reads them.
 */
export const maxViolations = 20

/** The value as its contract shapes it, or a ContractError that names each field (`jobs[3].priority`). */
export function checkContract<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const checked = schema.safeParse(value, { error: phraseIssue })
  if (checked.success) return checked.data
  const known = schema instanceof z.ZodObject ? Object.keys(schema.shape) : []
  const violations: Violation[] = []
  for (const issue of checked.error.issues) {
    if (violations.length >= maxViolations) break
    violations.push(...toViolations(issue, known).slice(0, maxViolations - violations.length))
  }
  throw new ContractError(violations)
}

/** A path as a caller would write it: `jobs[3].payload.url`; empty for the whole value. */
export function fieldName(path: readonly PropertyKey[]): string {
  return path.reduce<string>((name, key) => {
    if (typeof key === 'number') return `${name}[${key}]`
    return name === '' ? String(key) : `${name}.${String(key)}`
  }, '')
}

function toViolations(issue: z.core.$ZodIssue, known: readonly string[]): Violation[] {
  if (issue.code !== 'unrecognized_keys') return [{ field: fieldName(issue.path), message: issue.message }]
  return issue.keys.slice(0, maxViolations).map((key) => {
    const meant = issue.path.length === 0 ? suggestWord(key, known) : null
    const violation = { field: fieldName([...issue.path, key]).slice(0, 200), message: 'is not a known field' }
    return meant === null ? violation : { ...violation, hint: `Did you mean ${meant}?` }
  })
}

function sentence({ field, message }: Violation): string {
  return field === '' ? `the body ${message}` : `${field} ${message}`
}

const typeNames: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
  object: 'an object',
  record: 'an object',
  string: 'a string',
}

/** Words for what a schema has no words of its own for. */
export function phraseIssue(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is required' : `must be ${typeNames[issue.expected] ?? issue.expected}`
    case 'invalid_value':
      return `must be ${oneOf(issue.values.map(String))}`
    case 'too_small':
      return `must ${measure(issue.origin, 'at least', Number(issue.minimum))}`
    case 'too_big':
      return `must ${measure(issue.origin, 'at most', Number(issue.maximum))}`
    default:
      return undefined
  }
}

function measure(origin: string, bound: string, limit: number): string {
  if (origin === 'string') return `have ${bound} ${limit} ${limit === 1 ? 'character' : 'characters'}`
  if (origin === 'array') return `have ${bound} ${limit} ${limit === 1 ? 'item' : 'items'}`
  return `be ${bound} ${limit}`
}

/** `a, b or c` */
export function oneOf(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}
