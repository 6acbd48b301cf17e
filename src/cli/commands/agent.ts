import { type Command, Option } from 'commander'
import { exitCodes } from '../exit-code.ts'
import { type Runtime, runs, withExamples } from '../runtime.ts'
import { runUntilStopped } from '../service-run.ts'
import { wholeNumber } from './serve.ts'

interface AgentOptions {
  readonly name?: string
  readonly queues?: string
  readonly slots?: number
  readonly burst?: boolean
  readonly maxJobs?: number
  readonly maxIdleSeconds?: number
}

/** `agent`: a process that runs jobs, and nothing else. */
export function addAgentCommand(program: Command, runtime: Runtime): void {
  const command = program
    .command('agent')
    .description('run the tasks of the configuration as an agent of a coordinator elsewhere')
    .addOption(new Option('--name <name>', 'its name; another registration under it ends this one (agent.name)'))
    .addOption(new Option('--queues <names>', 'the queues it takes from, by commas (agent.queues)'))
    .addOption(slotsOption())
    .addOption(new Option('--burst', 'end when nothing is left that it could start (agent.burst)'))
    .addOption(
      new Option('--max-jobs <number>', 'end after so many jobs (agent.max_jobs)').argParser(
        wholeNumber({ least: 1, most: 1_000_000_000 }),
      ),
    )
    .addOption(
      new Option(
        '--max-idle-seconds <seconds>',
        'end when there was nothing to do for so long (agent.max_idle_seconds)',
      ).argParser(wholeNumber({ least: 0, most: 2_592_000 })),
    )
  withExamples(command, [
    'DATABASE_URL=postgres://… interlock agent',
    'interlock agent --name gpu-1 --queues high,default --slots 2',
    'interlock agent --burst                        # run what there is, then end',
  ])
  runs<AgentOptions>(command, runtime, async (call) => {
    const { name, queues, slots, burst, maxJobs, maxIdleSeconds } = call.options
    const loaded = call.load([
      { flag: '--name', path: ['agent', 'name'], value: name },
      { flag: '--queues', path: ['agent', 'queues'], value: queues?.split(',').map((queue) => queue.trim()) },
      { flag: '--slots', path: ['agent', 'slots'], value: slots },
      { flag: '--burst', path: ['agent', 'burst'], value: burst },
      { flag: '--max-jobs', path: ['agent', 'max_jobs'], value: maxJobs },
      { flag: '--max-idle-seconds', path: ['agent', 'max_idle_seconds'], value: maxIdleSeconds },
    ])
    const parts = { migrations: false, coordinator: false, http: false, agent: true }
    await runUntilStopped(call, { loaded, parts, needsDatabaseUrl: true })
    return exitCodes.ok
  })
}

export function slotsOption(): Option {
  return new Option('--slots <number>', 'how many jobs it runs at once (agent.slots, 4)').argParser(
    wholeNumber({ least: 1, most: 10_000 }),
  )
}
