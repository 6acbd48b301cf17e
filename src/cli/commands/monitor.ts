import { Command, Option } from 'commander'
import { InterlockError } from '../../domain/errors.ts'
import { type Call, type Runtime, runs, withExamples } from '../runtime.ts'

interface MonitorFlags {
  readonly refreshSeconds: string
  readonly once?: boolean
}

export function addMonitorCommand(program: Command, runtime: Runtime): void {
  const command = new Command('monitor')
    .description('a live screen: how much waits, what runs, what waits and why, agents and their load')
    .addOption(new Option('--refresh-seconds <seconds>', 'how often it looks').default('2'))
    .addOption(new Option('--once', 'print one screen as plain text; so it does without a terminal'))
  withExamples(command, [
    'interlock monitor                       # ? in it shows its keys',
    'interlock monitor --refresh-seconds 10',
    'interlock monitor --once | mail -s "the queue" ops@example.org',
  ])
  program.addCommand(
    runs<MonitorFlags>(command, runtime, async (call) => {
      const refreshSeconds = parseRefresh(call.options.refreshSeconds)
      const isScreen = call.terminal.isInteractive && process.stdin.isTTY === true
      if (call.options.once === true || call.isJson || !isScreen) await showOnce(call, refreshSeconds)
      else await showLive(call, refreshSeconds)
      return undefined
    }),
  )
}

async function showOnce(call: Call<MonitorFlags>, refreshSeconds: number): Promise<void> {
  const { readMonitorData } = await import('../monitor/monitor-data.ts')
  const { renderOnce } = await import('../monitor/one-screen.ts')
  const { place, open } = await prepare(call)
  const backend = await open(call.signal)
  try {
    const data = await readMonitorData(backend)
    call.show(data, () => renderOnce(data, { place, refreshSeconds, columns: call.terminal.width }))
  } finally {
    await backend.close()
  }
}

async function showLive(call: Call<MonitorFlags>, refreshSeconds: number): Promise<void> {
  const { preferProductionBuilds } = await import('../../config.ts')
  preferProductionBuilds()
  const { runMonitor } = await import('../monitor/monitor.ts')
  await runMonitor({ ...(await prepare(call)), refreshSeconds, painter: call.terminal, signal: call.signal })
}

/** What is wrong with the configuration is said at once; whether anything answers there is for the monitor to show. */
async function prepare(call: Call) {
  const { openBackend, placeOf } = await import('../backend.ts')
  const { config } = call.load()
  const prefersDatabase = call.options.databaseUrl !== undefined
  return {
    place: nameOf(placeOf(config, { prefersDatabase })),
    open: (signal: AbortSignal) => openBackend(config, { signal, prefersDatabase }),
  }
}

/** Without the user and the password that it may have. */
function nameOf(place: { readonly url: string } | { readonly databaseUrl: string }): string {
  const url = URL.parse('url' in place ? place.url : place.databaseUrl)
  if (url === null) return 'the database'
  return 'url' in place ? `${url.origin}${url.pathname.replace(/\/$/, '')}` : `${url.host}${url.pathname}`
}

function parseRefresh(text: string): number {
  const seconds = Number(text)
  if (/^\d+(\.\d+)?$/.test(text) && seconds >= 0.2 && seconds <= 3600) return seconds
  throw new InterlockError('invalid_argument', `--refresh-seconds is ${text}, not a number from 0.2 to 3600`)
}
