import { describe, expect, it } from 'vitest'
import { ConfigurationError, type LoadedConfig, loadConfig } from '../../src/config.ts'
import { runCli, temporaryFolder } from './run-cli.ts'

async function load(toml: string, rest: Parameters<typeof loadConfig>[0] = {}): Promise<LoadedConfig> {
  return loadConfig({ environment: {}, folder: await temporaryFolder({ 'interlock.toml': toml }), ...rest })
}

async function problemsOf(toml: string, rest: Parameters<typeof loadConfig>[0] = {}): Promise<string[]> {
  try {
    await load(toml, rest)
    return []
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message.split('\n')
    throw error
  }
}

describe('loadConfig', () => {
  it('names everything that is wrong at once, each with its line and the word that was meant', async () => {
    const problems = await problemsOf(`[http]
prot = 12
[queues.high]
max_atempts = 3
ttl = 60
scheduling = "fiar"
[datbase]
url = "postgres://localhost/x"
[tasks.resize]
command = ["resize"]
module = "resize.ts"
[resources]
flux = 2
"model:flux" = -1
`)
    expect(problems).toEqual([
      'interlock.toml:2: http.prot is not a setting; did you mean port?',
      'interlock.toml:4: queues.high.max_atempts is not a setting; did you mean max_attempts?',
      'interlock.toml:5: queues.high.ttl is not a setting; did you mean ttl_seconds?',
      'interlock.toml:6: queues.high.scheduling must be one of fair, fifo, not "fiar"; did you mean fair?',
      'interlock.toml:7: datbase is not a setting; did you mean database?',
      'interlock.toml:9: tasks.resize must have either a command (a list of arguments) or a module (a file)',
      expect.stringMatching(/^interlock\.toml:13: resources\.flux must be a resource/),
      expect.stringMatching(/^interlock\.toml:14: resources\."model:flux" must be .*0/),
    ])
  })

  it('says of a wrong value where it came from, be it the file, a variable or a flag', async () => {
    const problems = await problemsOf('[log]\nlevel = 3\n', {
      environment: { INTERLOCK_AGENT_SLOTS: 'many', INTERLOCK_HTTP_PROT: '1' },
      flags: [{ flag: '--port', path: ['http', 'port'], value: 99_999 }],
    })
    expect(problems).toEqual([
      'INTERLOCK_HTTP_PROT: is not a variable of interlock; did you mean INTERLOCK_HTTP_PORT?',
      '--port: http.port must be at most 65535, not 99999',
      'INTERLOCK_AGENT_SLOTS: agent.slots must be a number, not "many"',
      expect.stringMatching(/^interlock\.toml:2: log\.level must be one of .*, not 3$/),
    ])
  })

  it('lets a flag win over the environment, the environment over the file, the file over the default', async () => {
    const toml = '[http]\nport = 1001\nhost = "0.0.0.0"\n[agent]\nslots = 2\nname = "one"\n'
    const { config, printed } = await load(toml, {
      environment: { INTERLOCK_HTTP_PORT: '1002', INTERLOCK_AGENT_SLOTS: '3' },
      flags: [{ flag: '--port', path: ['http', 'port'], value: 1003 }],
    })
    expect(config.http).toMatchObject({ host: '0.0.0.0', port: 1003 })
    expect(config.agent).toMatchObject({ slots: 3, name: 'one', drainSeconds: 25 })
    const from = Object.fromEntries(printed.map(({ setting, origin }) => [setting, origin]))
    expect(from).toMatchObject({
      'http.port': '--port',
      'http.host': 'interlock.toml:3',
      'agent.slots': 'INTERLOCK_AGENT_SLOTS',
      'agent.drain_seconds': 'default',
    })
  })

  it('reads a secret from the file that a variable names, and never prints its password', async () => {
    const folder = await temporaryFolder({ secret: 'postgres://me:hunter2@db.example/jobs\n' })
    const { config, printed } = loadConfig({ folder, environment: { DATABASE_URL_FILE: `${folder}/secret` } })
    expect(config.database.url).toBe('postgres://me:hunter2@db.example/jobs')
    expect(JSON.stringify(printed)).not.toContain('hunter2')
    expect(printed.find(({ setting }) => setting === 'database.url')?.origin).toBe('DATABASE_URL_FILE')
  })

  it('refuses a secret that is given twice, and a secret whose file is not there', async () => {
    const environment = { DATABASE_URL: 'postgres://a/b', DATABASE_URL_FILE: '/nowhere' }
    expect(await problemsOf('', { environment })).toEqual(['DATABASE_URL_FILE: is set beside DATABASE_URL: use one'])
    const missing = await problemsOf('', { environment: { DATABASE_URL_FILE: '/nowhere' } })
    expect(missing).toEqual([expect.stringMatching(/^DATABASE_URL_FILE: cannot be read: ENOENT/)])
  })

  it('never shows a secret in a problem about it', async () => {
    const problems = await problemsOf('', { environment: { DATABASE_URL: 'mysql://me:hunter2@db/jobs' } })
    expect(problems).toEqual(['DATABASE_URL: database.url must begin with postgres:// or postgresql://, not (secret)'])
  })

  it('takes an alarm’s bound or "off", and a webhook with its secret only, of which it prints neither', async () => {
    const secret = `whsec_${'A'.repeat(32)}`
    const toml =
      '[alarms]\nqueue_depth = 500\ndead_letter_seconds = "off"\nwebhook_url = "https://hooks.example/token-1"\n'
    const { config, printed } = await load(toml, { environment: { INTERLOCK_ALARMS_WEBHOOK_SECRET: secret } })
    expect(config.alarms).toEqual({
      policy: { queue_depth: 500, dead_letter_seconds: null, is_delivered: true },
      webhook: { url: 'https://hooks.example/token-1', secret },
    })
    expect(JSON.stringify(printed)).not.toMatch(/token-1|whsec/)
    expect(await problemsOf(toml)).toEqual([
      'interlock.toml:4: alarms.webhook_url and alarms.webhook_secret must be set both, or neither',
    ])
    expect(
      await problemsOf(
        '[alarms]\nqueue_deth = 5\nwebhook_url = "http://hooks.example/token-2"\nwebhook_secret = "whsec_short"\n',
      ),
    ).toEqual([
      'interlock.toml:2: alarms.queue_deth is not a setting; did you mean queue_depth?',
      'interlock.toml:3: alarms.webhook_url must begin with https://, and name no user, not (secret)',
      'interlock.toml:4: alarms.webhook_secret must be whsec_ and at least 24 random bytes in base64, not (secret)',
    ])
  })

  it('takes paths in the file from the file, wherever the program runs', async () => {
    const folder = await temporaryFolder({
      'deploy.toml': `[database]
data_dir = "./data"
[tasks.one]
command = ["./one.sh", "./argument"]
[tasks.two]
module = "tasks/two.ts"
cwd = "work"
[tasks.three]
command = ["node", "three.js"]
`,
    })
    const { config } = loadConfig({ file: `${folder}/deploy.toml`, folder: '/', environment: {} })
    expect(config.database.dataDir).toBe(`${folder}/data`)
    expect(config.tasks.one).toMatchObject({ command: [`${folder}/one.sh`, './argument'], cwd: folder })
    expect(config.tasks.two).toMatchObject({ module: `${folder}/tasks/two.ts`, cwd: `${folder}/work` })
    expect(config.tasks.three).toMatchObject({ command: ['node', 'three.js'], cwd: folder })
  })

  it('says what is wrong with a file that is not TOML by line and column, and with a file that is not there', async () => {
    const [problem] = await problemsOf('[http]\nport = = 3\n')
    expect(problem).toMatch(/^interlock\.toml:2:\d+: is not TOML: /)
    expect(await problemsOf('', { file: 'nowhere.toml' })).toEqual(['nowhere.toml: does not exist'])
  })

  it('refuses two settings that contradict each other', async () => {
    const problems = await problemsOf('[exclusivity]\nper_user = false\n[resources]\n"user:*" = 2\n')
    expect(problems).toEqual([
      'interlock.toml:4: resources."user:*" contradicts exclusivity.per_user: name one of them',
    ])
  })

  it('takes a key named __proto__ for the unknown key that it is', async () => {
    const problems = await problemsOf('[http.__proto__]\nport = 1\n')
    expect(problems).toEqual([expect.stringContaining('http.__proto__ is not a setting')])
  })

  it('keeps the shipped example right', () => {
    const { config } = loadConfig({ file: 'interlock.example.toml', environment: {} })
    expect(Object.keys(config.tasks).length).toBeGreaterThan(0)
  })
})

describe('interlock config', () => {
  it('check ends with 2 and a line for each problem, and with 0 when all is right', async () => {
    const wrong = await runCli(['config', 'check'], {
      cwd: await temporaryFolder({ 'interlock.toml': '[http]\nprot = 1\n[agent]\nslots = 0\n' }),
    })
    expect(wrong).toEqual({
      code: 2,
      stdout: '',
      stderr:
        'error: interlock.toml:2: http.prot is not a setting; did you mean port?\n' +
        'error: interlock.toml:4: agent.slots must be at least 1, not 0\n',
    })
    const right = await runCli(['config', 'check', '--json'])
    expect(right).toMatchObject({ code: 0, stderr: '' })
    expect(JSON.parse(right.stdout)).toMatchObject({ ok: true, file: null })
  })

  it('print shows each value and where it came from, within 80 columns', async () => {
    const { code, stdout } = await runCli(['config', 'print'], {
      env: { DATABASE_URL: 'postgres://me:hunter2@db.example/jobs', INTERLOCK_HTTP_PORT: '8080' },
    })
    expect(code).toBe(0)
    expect(stdout).toMatch(/^http\.port +8080 +INTERLOCK_HTTP_PORT$/m)
    expect(stdout).toMatch(/^database\.url +postgres:\/\/me:\*\*\*@db\.example\/jobs +DATABASE_URL$/m)
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
  })
})
