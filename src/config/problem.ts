import type { z } from 'zod'
import { suggestWord } from '../domain/suggestion.ts'
import { describeOrigin, type Merged, type Origin } from './layer.ts'
import { knownKeys, type Settings, secretPaths } from './schema.ts'

/** One thing that is wrong with the configuration. */
export interface Problem {
  /** Where it is written: `interlock.toml:12`, `INTERLOCK_HTTP_PORT`, `--port`. */
  readonly place: string
  /** Which setting, as section.key; null when it is the file as a whole. */
  readonly setting: string | null
  readonly message: string
  /** The nearest word that would have been right. */
  readonly suggestion: string | null
}

/** Everything that is wrong with the configuration, at once. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    const sorted = problems.toSorted((one, other) => lineOfPlace(one) - lineOfPlace(other))
    super(sorted.map(describeProblem).join('\n'))
    this.problems = sorted
  }
}

/** Top to bottom of the file, as a person corrects it; what is in no line comes first. */
function lineOfPlace(problem: Problem): number {
  return Number(/:(\d+)(?::\d+)?$/.exec(problem.place)?.[1] ?? 0)
}

/** A problem as one line. */
export function describeProblem(problem: Problem): string {
  const subject = problem.setting === null ? '' : `${problem.setting} `
  const suggestion = problem.suggestion === null ? '' : `; did you mean ${problem.suggestion}?`
  return `${problem.place}: ${subject}${problem.message}${suggestion}`
}

/** The schema's issues as problems, each with the place that its value came from. */
export function problemsOf(error: z.ZodError, merged: Merged): Problem[] {
  return error.issues.flatMap((issue) => {
    const path = issue.path.map(String)
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => {
        const wrong = [...path, key]
        return problemAt(merged.originOf(wrong), wrong, 'is not a setting', suggestKey(key, path))
      })
    }
    const suggestion = issue.code === 'invalid_value' ? suggestValue(issue.values, valueAt(merged.values, path)) : null
    return [problemAt(merged.originOf(path), path, messageOf(issue, path, merged), suggestion)]
  })
}

/** What each setting says rightly by itself, and not beside another. */
export function contradictionsOf({ exclusivity, resources }: Settings, merged: Merged): Problem[] {
  const patterns = { per_user: 'user:*', per_model: 'model:*', serialise_all: 'limit:all' } as const
  return Object.entries(patterns).flatMap(([key, pattern]) => {
    const isSaidTwice = exclusivity[key as keyof typeof patterns] !== undefined && Object.hasOwn(resources, pattern)
    if (!isSaidTwice) return []
    const path = ['resources', pattern]
    return [problemAt(merged.originOf(path), path, `contradicts exclusivity.${key}: name one of them`, null)]
  })
}

/** A setting's path as people write it; a key that is not a bare word is quoted, as in the file. */
export function settingName(path: readonly string[]): string {
  return path.map((key) => (/^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key))).join('.')
}

function problemAt(origin: Origin, path: readonly string[], message: string, suggestion: string | null): Problem {
  return { place: describeOrigin(origin), setting: settingName(path), message, suggestion }
}

function suggestKey(key: string, table: readonly string[]): string | null {
  const known = knownKeys(table) ?? []
  // People drop the unit more often than they mistype: ttl for ttl_seconds, heartbeat for heartbeat_seconds.
  return known.find((candidate) => candidate.startsWith(`${key}_`)) ?? suggestWord(key, known)
}

function suggestValue(values: readonly unknown[], actual: unknown): string | null {
  return typeof actual === 'string' ? suggestWord(actual, values.map(String)) : null
}

function messageOf(issue: z.core.$ZodIssue, path: readonly string[], merged: Merged): string {
  const value = valueAt(merged.values, path)
  const actual = secretPaths.has(path.join('.')) ? '(secret)' : describeValue(value)
  switch (issue.code) {
    case 'invalid_type':
      return value === undefined ? 'is missing' : `must be ${nameOfType(issue.expected)}, not ${actual}`
    case 'too_small':
      return `must be at least ${issue.minimum}${unitOf(issue.origin)}, not ${actual}`
    case 'too_big':
      return `must be at most ${issue.maximum}${unitOf(issue.origin)}, not ${actual}`
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}, not ${actual}`
    case 'invalid_key':
      return issue.issues[0]?.message ?? issue.message
    case 'invalid_union': {
      const first = issue.errors[0]?.[0]
      return issue.message !== 'Invalid input' || first === undefined
        ? `${issue.message}, not ${actual}`
        : messageOf(first, path, merged)
    }
    case 'invalid_format':
      return `${issue.message}, not ${actual}`
    default:
      return issue.message
  }
}

function valueAt(values: unknown, path: readonly string[]): unknown {
  let value = values
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as Record<string, unknown>)[key]
  }
  return value
}

function nameOfType(expected: string): string {
  const names: Record<string, string> = {
    int: 'a whole number',
    number: 'a number',
    string: 'a text',
    boolean: 'true or false',
    array: 'a list',
    object: 'a table',
    record: 'a table',
  }
  return names[expected] ?? expected
}

function unitOf(origin: string): string {
  if (origin === 'string') return ' characters'
  return origin === 'array' ? ' entries' : ''
}

function describeValue(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : String(JSON.stringify(value) ?? value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
