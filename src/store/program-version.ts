import { readFileSync } from 'node:fs'

const manifest: { readonly version: string } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
)

/** The version of this program, as in package.json. */
export const programVersion: string = manifest.version

/** Below 0 when `one` is older than `other`, above 0 when newer. A pre-release is older than its release. */
export function compareVersions(one: string, other: string): number {
  const [first, second] = [parse(one), parse(other)]
  for (const [index, number] of first.numbers.entries()) {
    const difference = number - (second.numbers[index] ?? 0)
    if (difference !== 0) return difference
  }
  if (first.suffix === second.suffix) return 0
  if (first.suffix === '' || second.suffix === '') return first.suffix === '' ? 1 : -1
  return first.suffix < second.suffix ? -1 : 1
}

function parse(version: string): { readonly numbers: readonly number[]; readonly suffix: string } {
  const [core = '', suffix = ''] = version.split(/-(.*)/s)
  return { numbers: core.split('.').map(Number), suffix }
}
