import { execFileSync, spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { menuFile, menuText } from '../scripts/build-menu.ts'
import { createTestDatabase } from './support/test-database.ts'

const hasPsql = spawnSync('psql', ['--version']).status === 0

describe('sql/menu.psql', () => {
  it('lists what sql/inspect and sql/repair hold (`npm run menu` writes it)', async () => {
    expect(await readFile(menuFile, 'utf8')).toBe(await menuText())
  })

  it.skipIf(!hasPsql)('answers in psql, says what it does not know, and ends when told to', async () => {
    const { url } = await createTestDatabase()
    const output = execFileSync('psql', [url, '--no-psqlrc', '-f', menuFile], {
      input: 'nonsense\nq\n',
      encoding: 'utf8',
    })
    expect(output.match(/Look \(nothing is changed\)/g)).toHaveLength(2)
    expect(output).toContain('There is no such line.')
  })
})
