// The property test of the verbs at length: random commands from several connections against a reference model.
//
//   node scripts/commands.ts                              a million commands
//   node scripts/commands.ts --commands 50000 --seed 7

import { randomBytes } from 'node:crypto'
import { Command } from 'commander'
import { Database } from '../src/store/database.ts'
import { type OpenedDatabase, runCampaign } from '../tests/commands/campaign.ts'
import { buildTemplate, startTestServer } from '../tests/support/test-server.ts'

const program = new Command('commands')
  .description('Runs random commands against the SQL verbs and a reference model, on a Postgres of its own.')
  .option('--commands <n>', 'how many', Number, 1_000_000)
  .option('--seed <n>', 'of the first batch; the next ones follow', Number, Math.floor(Math.random() * 1e9))
  .option('--databases <n>', 'at a time', Number, 2)
  .option('--no-shrink', 'show the first run that fails as it is')
  .parse()
const options = program.opts<{ commands: number; seed: number; databases: number; shrink: boolean }>()

const startedAt = performance.now()
const seconds = () => Math.round((performance.now() - startedAt) / 1000)
const server = await startTestServer()
const template = await buildTemplate(server)
const admin = new Database({ url: server.url('postgres'), poolSize: 1, applicationName: 'commands' })

async function open(): Promise<OpenedDatabase> {
  const name = `commands_${randomBytes(5).toString('hex')}`
  await admin.query(`create database ${name} template ${template.name}`)
  const url = server.url(name)
  const database = new Database({ url, poolSize: 1, applicationName: 'commands' })
  return { url, database, drop: () => database.end() }
}

try {
  process.stderr.write(`${options.commands} commands from seed ${options.seed}\n`)
  let said = 0
  const { failure, commands, runs, tally } = await runCampaign({
    ...options,
    open,
    shrinks: options.shrink,
    onProgress: (done, finished) => {
      if (done - said < 10_000) return
      said = done
      process.stderr.write(`${done} commands in ${finished} runs, ${seconds()} s\n`)
    },
  })
  const answers = [...tally].toSorted().map(([answer, times]) => `  ${answer}: ${times}`)
  console.log([`${commands} commands in ${runs} runs, ${seconds()} s`, ...answers].join('\n'))
  if (failure !== null) {
    console.error(failure.report)
    process.exitCode = 1
  }
} finally {
  await admin.end()
  await template.drop()
  await server.stop()
}
