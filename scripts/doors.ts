// Writes the table of operations and doors into README.md, between its two marks:
//
//   npm run doors           writes it
//   ... --check             says whether it is what it would be, by its exit code

import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { EventLoopWatch } from '../src/http/readiness.ts'
import { allRoutes } from '../src/http/routes/all-routes.ts'
import type { Services } from '../src/http/services.ts'
import { elsewhere } from './doors/elsewhere.ts'

const readme = fileURLToPath(new URL('../README.md', import.meta.url))
const begin = '<!-- The table of doors: npm run doors -->'
const end = '<!-- The end of the table of doors -->'

/** The table as the routes are now. Throws for a route that elsewhere.ts does not know. */
export function doorsTable(): string {
  const routes = allRoutes({} as Services, {} as EventLoopWatch)
  const rows = routes
    .map(({ name, method, path, answer }) => {
      const other = elsewhere[name]
      if (other === undefined) throw new Error(`${name} is missing in scripts/doors/elsewhere.ts`)
      // What answers as a stream alone has no answer of one piece for the two doors by name.
      const byName = answer === undefined ? '–' : '✓'
      return [name, `${method} ${path}`, byName, other.cli, other.client, other.sql]
    })
    .sort(([one], [another]) => String(one).localeCompare(String(another)))
    .map(([name, http, byName, cli, client, sql]) => [
      cell(name),
      cell(http),
      byName,
      cell(cli),
      cell(client),
      cell(sql),
    ])
  return table([['operation', 'HTTP', 'JSON-RPC, MCP', 'interlock', 'client', 'SQL'], ...rows])
}

/** The README with the table in it. Throws where its marks are missing. */
export function withDoorsTable(text: string): string {
  const [before, rest] = text.split(begin)
  const after = rest?.split(end)[1]
  if (before === undefined || after === undefined) throw new Error(`README.md has no ${begin} with ${end} behind it`)
  return `${before}${begin}\n\n${doorsTable()}\n\n${end}${after}`
}

function cell(text: string | null | undefined): string {
  return text == null ? '–' : `\`${text}\``
}

/** Columns as wide as their widest cell, as the formatter of the other tables has them. */
function table(rows: readonly (readonly (string | null | undefined)[])[]): string {
  const texts = rows.map((row) => row.map((text) => text ?? '–'))
  const widths = (texts[0] ?? []).map((_, column) => Math.max(...texts.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    `| ${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`
  const [head = [], ...body] = texts
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = await readFile(readme, 'utf8')
  const wanted = withDoorsTable(text)
  if (!process.argv.includes('--check')) await writeFile(readme, wanted)
  else if (text !== wanted) {
    console.error('The table of doors in README.md is not that of the routes: npm run doors.')
    process.exitCode = 1
  }
}
