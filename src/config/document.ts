import { readFileSync } from 'node:fs'
import { parse, TomlError } from 'smol-toml'
import { InterlockError } from '../domain/errors.ts'

/** What a person wrote into a file: JSON, or TOML where its name says so. Throws invalid_argument with the place. */
export function readDocument(file: string): unknown {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw unreadable(file, 'cannot be read', error)
  }
  try {
    return file.endsWith('.toml') ? parse(text) : (JSON.parse(text) as unknown)
  } catch (error) {
    throw unreadable(file, file.endsWith('.toml') ? 'is not TOML' : 'is not JSON', error)
  }
}

function unreadable(file: string, what: string, error: unknown): InterlockError {
  const place = error instanceof TomlError ? `:${error.line}:${error.column}` : ''
  // The rest of such a message is a drawing of the line.
  const reason = (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''
  return new InterlockError('invalid_argument', `${file}${place} ${what}: ${reason}`, { cause: error })
}
