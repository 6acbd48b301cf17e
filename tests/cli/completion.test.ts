import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { runCli } from './run-cli.ts'

async function offered(...words: readonly string[]): Promise<readonly string[]> {
  const { stdout, code } = await runCli(['complete', '--', ...words])
  expect(code).toBe(0)
  return stdout.split('\n').flatMap((line) => (line === '' || line.startsWith(':') ? [] : [line.split('\t')[0] ?? '']))
}

describe('interlock completion', () => {
  test.for(['bash', 'zsh', 'fish'] as const)('prints what %s reads', async (shell) => {
    const { stdout, code } = await runCli(['completion', shell])
    expect(code).toBe(0)
    expect(stdout).toContain('interlock')
    if (spawnSync(shell, ['--version']).status === 0) {
      expect(spawnSync(shell, ['-n'], { input: stdout, encoding: 'utf8' }).stderr).toBe('')
    }
  })

  test('offers commands, their verbs, options and the words that an option takes', async () => {
    expect(await offered('')).toEqual(expect.arrayContaining(['queue', 'job', 'monitor', 'keys']))
    expect(await offered('queue', '')).toEqual(expect.arrayContaining(['add', 'status', 'limit']))
    expect(await offered('queue', '')).not.toContain('help')
    expect(await offered('queue', 'add', '--pri')).toEqual(['--priority'])
  })

  test('refuses a shell that it does not know', async () => {
    expect(await runCli(['completion', 'nonsense'])).toMatchObject({ code: 2, stdout: '' })
  })
})
