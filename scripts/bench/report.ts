import Table from 'cli-table3'
import type { Report } from './bench.ts'
import { shareOf } from './targets.ts'

const plain = { head: [], border: [] }

/** The report as a person reads it. */
export function reportText({ machine, postgres, seed, interrupted, results, targets }: Report): string {
  const { cores, processor, memory_gib, platform, node } = machine
  const settings = Object.entries(postgres).map(([name, value]) => `${name} ${value}`)
  const table = new Table({
    head: ['scenario', 'system', 'parameters', 'jobs/s', 'of base', 'figures'],
    colWidths: [12, 24, 30, 9, 9, 62],
    wordWrap: true,
    style: plain,
  })
  for (const result of results) {
    table.push([
      result.scenario,
      [result.system, phrases(result.settings)].join('\n'),
      phrases(result.parameters),
      result.jobs_per_second ?? '',
      shareOf(result, results),
      phrases(result.figures),
    ])
  }
  const shown = new Table({ head: ['shown', 'value', 'aim'], style: plain })
  for (const { name, value, unit, aim } of targets) shown.push([name, `${value} ${unit}`, aim])
  return [
    `${cores} cores (${processor}), ${memory_gib} GiB, ${platform}, Node ${node}; server and clients on this machine`,
    `Postgres: ${settings.join(', ')}`,
    `seed ${seed}; jobs/s is the median of the rounds; the base is the bare floor, else the first of its scenario`,
    table.toString(),
    ...(targets.length > 0 ? [shown.toString()] : []),
    ...(interrupted ? ['interrupted: this is what was measured until then'] : []),
  ].join('\n')
}

function phrases(values: Readonly<Record<string, number | string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name.replaceAll('_', ' ')} ${value}`)
    .join(', ')
}
