import { describe, expect, it } from 'vitest'
import { compareVersions, programVersion } from '../../src/store/program-version.ts'

describe('compareVersions', () => {
  it('orders releases by number and not by text, and a pre-release before its release', () => {
    const sorted = ['0.9.0', '0.10.0-beta.1', '0.10.0', '0.10.1', '1.0.0']
    expect(sorted.toReversed().sort(compareVersions)).toEqual(sorted)
    expect(compareVersions('1.2.3', '1.2.3')).toBe(0)
  })

  it('takes the version of the program from package.json', () => {
    expect(programVersion).toMatch(/^\d+\.\d+\.\d+/)
  })
})
