import { once } from 'node:events'
import { createServer } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import { runCli } from './run-cli.ts'

describe('interlock', () => {
  it('begins every help with examples, and keeps it within 80 columns', async () => {
    const commands = [
      '',
      'up',
      'serve',
      'agent',
      'migrate up',
      'queue',
      'queue add',
      'job output',
      'config print',
      'doctor',
      'monitor',
      'workflow',
      'workflow run',
    ]
    for (const command of commands) {
      const words = command.split(' ').filter((word) => word !== '')
      const { code, stdout, stderr } = await runCli([...words, '--help'])
      expect({ command, code, stderr }).toEqual({ command, code: 0, stderr: '' })
      expect(stdout).toMatch(/^Examples:\n {2}\S/)
      const tooLong = stdout.split('\n').filter((line) => [...line].length > 80)
      expect({ command, tooLong }).toEqual({ command, tooLong: [] })
    }
  })

  it('prints its version', async () => {
    expect(await runCli(['--version'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
  })

  it.each([
    [[], 'Usage: interlock'],
    [['queue'], 'Usage: interlock queue'],
    [['queu', 'status'], "unknown command 'queu'"],
    [['queue', 'add'], "missing required argument 'task'"],
    [['queue', 'add', 'test', '--wat'], '(Did you mean --wait?)'],
    [['queue', 'list', '--status', 'done'], 'done is no status'],
    [['up', '--port', 'x'], 'It must be a whole number from 0 to 65535'],
    [['queue', 'status', '--url', 'http://a', '--database-url', 'postgres://b'], 'cannot be used with option'],
    [['queue', 'add', 'test', '--payload', '{'], '--payload is not JSON'],
    [['queue', 'add', 'test', '--priority', 'urgent'], 'priority must be critical, high, normal, low'],
    [['migrate', 'up'], 'no database is named'],
    [['serve'], 'no database is named'],
    [['agent'], 'no database is named'],
    [['queue', 'status', '--url', 'ftp://a'], '--url: client.url must begin with http:// or https://'],
  ])('%j ends with 2 and says why on stderr', async (args, why) => {
    const { code, stdout, stderr } = await runCli(args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(why)
    expect(stderr).not.toMatch(/\n\s+at /)
  })

  it.each([
    [['lokcs'], '`interlock --help`'],
    [['job', 'add'], '`interlock job --help`'],
    [['job', 'show'], '`interlock job show --help`'],
    [['queue', 'add'], '`interlock queue add --help`'],
  ])('%j is told where to look', async (args, where) => {
    const { stderr } = await runCli(args)
    expect(stderr.trimEnd()).toMatch(new RegExp(`See ${where}\\.$`))
  })

  it('ends with 6 and one line when nothing answers, be it HTTP or a database', async () => {
    for (const place of [
      ['--url', 'http://127.0.0.1:64999'],
      ['--database-url', 'postgres://nobody@127.0.0.1:64999/nothing'],
    ]) {
      const { code, stdout, stderr } = await runCli(['queue', 'status', ...place])
      expect({ code, stdout }).toEqual({ code: 6, stdout: '' })
      expect(stderr).toMatch(/^error: .*ECONNREFUSED.*\n$/)
    }
  })

  it('ends with 6 and one line when something else answers', async () => {
    const server = createServer((_request, response) => response.end('<html>hello</html>')).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const { port } = server.address() as { readonly port: number }
    const { code, stderr } = await runCli(['queue', 'status', '--url', `http://127.0.0.1:${port}`])
    expect({ code, stderr }).toEqual({
      code: 6,
      stderr: expect.stringMatching(/^error: .* does not answer as Interlock does\. .*\n$/),
    })
  })

  it('writes no colour into a pipe', async () => {
    const { stderr } = await runCli(['queu'], { env: { NO_COLOR: '', FORCE_COLOR: '' } })
    expect(stderr).not.toContain('\u001b')
  })
})
