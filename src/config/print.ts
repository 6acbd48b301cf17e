import { describeOrigin, type Merged } from './layer.ts'
import { settingName } from './problem.ts'
import { type Settings, secretPaths } from './schema.ts'

/** One setting as `config print` shows it. */
export interface PrintedSetting {
  readonly setting: string
  readonly value: unknown
  readonly origin: string
}

/** Every setting with its value and where it came from, secrets masked, in the order of the sections. */
export function printSettings(settings: Settings, merged: Merged): PrintedSetting[] {
  return leavesOf(settings, []).map(({ path, value }) => ({
    setting: settingName(path),
    value: shownValue(path, value),
    origin: describeOrigin(merged.originOf(path)),
  }))
}

/** A URL without its password; what is not a URL is hidden whole. */
export function maskSecret(text: string): string {
  try {
    const url = new URL(text)
    if (url.password !== '') url.password = '***'
    if (url.searchParams.has('password')) url.searchParams.set('password', '***')
    return url.toString()
  } catch {
    return '***'
  }
}

function shownValue(path: readonly string[], value: unknown): unknown {
  // Who knows the path of a webhook may call it: only where it leads to is shown.
  if (path.join('.') === 'alarms.webhook_url') return `${new URL(String(value)).origin}/***`
  if (secretPaths.has(path.join('.'))) return maskSecret(String(value))
  // A task's environment often carries a key: its names are shown, its values are not.
  return path[0] === 'tasks' && path[2] === 'env' ? '***' : value
}

interface Leaf {
  readonly path: readonly string[]
  readonly value: unknown
}

function leavesOf(value: unknown, path: readonly string[]): Leaf[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [{ path, value }]
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, [...path, key]))
}
