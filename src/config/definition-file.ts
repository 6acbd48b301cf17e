import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { parse, TomlError } from 'smol-toml'
import { InterlockError } from '../domain/errors.ts'

/** The workflows of a file, not yet judged: one, or the list `workflows`. TOML, or JSON where the name or `-` says so. */
export async function readDefinitions(file: string): Promise<readonly unknown[]> {
  const parsed = parseFile(file, await read(file))
  if (typeof parsed === 'object' && parsed !== null && 'workflows' in parsed && Array.isArray(parsed.workflows))
    return parsed.workflows
  return Array.isArray(parsed) ? parsed : [parsed]
}

async function read(file: string): Promise<string> {
  if (file === '-') return text(process.stdin)
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw refusal(`${file} cannot be read`, error)
  }
}

function parseFile(file: string, content: string): unknown {
  if (file === '-' || file.endsWith('.json')) {
    try {
      return JSON.parse(content)
    } catch (error) {
      throw refusal(`${file} is not JSON`, error)
    }
  }
  try {
    return parse(content)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    throw refusal(`${file}:${error.line}:${error.column} is not TOML`, error)
  }
}

function refusal(what: string, error: unknown): InterlockError {
  const [reason] = (error instanceof Error ? error.message : String(error)).split('\n')
  return new InterlockError('invalid_argument', `${what}: ${reason}`, { cause: error })
}
