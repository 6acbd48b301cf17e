import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { suggestWord } from '../domain/suggestion.ts'
import type { Entry } from './layer.ts'
import type { Problem } from './problem.ts'
import { fixedSections, knownKeys, schemaAt, secretPaths } from './schema.ts'
import type { SettingPath } from './toml-lines.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** Variables with a meaning that are not settings: for children of an agent, for tests, for the program itself. */
const otherVariables = [
  'INTERLOCK_CONFIG',
  'INTERLOCK_JOB_ID',
  'INTERLOCK_TOKEN',
  'INTERLOCK_FENCES',
  'INTERLOCK_ATTEMPT',
  'INTERLOCK_TEST_DATABASE_URL',
]

export interface EnvironmentLayer {
  readonly entries: readonly Entry[]
  readonly problems: readonly Problem[]
}

/**
 * What the environment says: DATABASE_URL, and INTERLOCK_<SECTION>_<KEY> for every setting of a fixed section
 * (INTERLOCK_HTTP_PORT). A secret can be in a file instead: DATABASE_URL_FILE names it. An empty variable counts as
 * unset. A variable that is nearly one of ours is a problem; any other INTERLOCK_ variable is somebody else's.
 */
export function readEnvironmentLayer(environment: Environment): EnvironmentLayer {
  const variables = knownVariables()
  const entries: Entry[] = []
  const problems: Problem[] = []
  for (const [variable, text] of Object.entries(environment)) {
    if (text === undefined || text === '') continue
    const path = variables.get(variable)
    if (path !== undefined) {
      entries.push({ path, value: parseText(text, path), origin: { kind: 'environment', variable } })
      continue
    }
    const secret = variables.get(variable.replace(/_FILE$/, ''))
    if (secret !== undefined && secretPaths.has(secret.join('.'))) {
      readSecretFile(variable, text, secret, environment, { entries, problems })
    } else if (variable.startsWith('INTERLOCK_') && !otherVariables.includes(variable)) {
      const suggestion = suggestWord(variable, variables.keys())
      if (suggestion !== null) {
        problems.push({ place: variable, setting: null, message: 'is not a variable of interlock', suggestion })
      }
    }
  }
  // INTERLOCK_DATABASE_URL is the more particular name: it is laid over DATABASE_URL whatever order they came in.
  entries.sort((one, other) => rankOfVariable(one) - rankOfVariable(other))
  return { entries, problems }
}

/** Every variable that is a setting, with the setting's path. */
export function knownVariables(): ReadonlyMap<string, SettingPath> {
  const variables = new Map<string, SettingPath>([
    ['DATABASE_URL', ['database', 'url']],
    ['INTERLOCK_URL', ['client', 'url']],
    ['INTERLOCK_KEY', ['client', 'key']],
    ['INTERLOCK_ENCRYPTION_KEYS', ['security', 'encryption_keys']],
  ])
  for (const section of fixedSections) {
    for (const key of knownKeys([section]) ?? []) {
      // A table has no text that stands for it.
      const schema = schemaAt([section, key])
      if (schema instanceof z.ZodObject || schema instanceof z.ZodRecord) continue
      if (section !== 'client') variables.set(`INTERLOCK_${section}_${key}`.toUpperCase(), [section, key])
    }
  }
  return variables
}

function readSecretFile(
  variable: string,
  file: string,
  path: SettingPath,
  environment: Environment,
  into: { readonly entries: Entry[]; readonly problems: Problem[] },
): void {
  const plain = variable.replace(/_FILE$/, '')
  if ((environment[plain] ?? '') !== '') {
    into.problems.push({ place: variable, setting: null, message: `is set beside ${plain}: use one`, suggestion: null })
    return
  }
  try {
    const value = readFileSync(file, 'utf8').trim()
    into.entries.push({ path, value, origin: { kind: 'environment', variable } })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    into.problems.push({ place: variable, setting: null, message: `cannot be read: ${reason}`, suggestion: null })
  }
}

function rankOfVariable(entry: Entry): number {
  return entry.origin.kind === 'environment' && entry.origin.variable.startsWith('INTERLOCK_') ? 1 : 0
}

/** Text as the type that the setting has; what does not parse stays text, and the schema says what it should be. */
export function parseText(text: string, path: SettingPath): unknown {
  const schema = schemaAt(path)
  if (schema instanceof z.ZodArray) return text.split(',').map((part) => part.trim())
  if (schema instanceof z.ZodBoolean) {
    if (/^(true|yes|on|1)$/i.test(text)) return true
    return /^(false|no|off|0)$/i.test(text) ? false : text
  }
  if (schema instanceof z.ZodNumber || schema instanceof z.ZodUnion)
    return /^-?[0-9.]+$/.test(text) ? Number(text) : text
  return text
}
