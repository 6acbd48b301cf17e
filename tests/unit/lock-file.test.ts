import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

interface Entry {
  readonly resolved?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const lock: { readonly packages: Readonly<Record<string, Entry>> } = JSON.parse(
  readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8'),
)

// As Node looks for it: beside the package, then beside each one that it is inside of.
function isLocked(name: string, from: string): boolean {
  if (lock.packages[`${from === '' ? '' : `${from}/`}node_modules/${name}`] !== undefined) return true
  if (from === '') return false
  const cut = from.lastIndexOf('/node_modules/')
  return isLocked(name, cut < 0 ? '' : from.slice(0, cut))
}

describe('package-lock.json', () => {
  it('has every package for every platform, so that `npm ci` works on machines other than the one that wrote it', () => {
    const missing = Object.entries(lock.packages).flatMap(([path, { dependencies, optionalDependencies }]) =>
      Object.keys({ ...dependencies, ...optionalDependencies }).filter((name) => !isLocked(name, path)),
    )
    expect(missing).toEqual([])
  })

  it('names no address to download from', () => {
    expect(Object.keys(lock.packages).filter((path) => lock.packages[path]?.resolved !== undefined)).toEqual([])
  })
})
