import type { Finding } from './finding.ts'

/** What the server must not have to say, by the code that its log lines begin with. */
const defects: ReadonlyMap<string, string> = new Map([
  ['XX000', 'an inner check failed'],
  ['XX001', 'data are corrupted'],
  ['XX002', 'an index is corrupted'],
  ['40P01', 'a deadlock between sessions'],
  ['23505', 'a key was written twice'],
  ['23514', 'a check of a table refused what a verb wrote'],
])

/**
 * Workers that are started together on a new database make graphile-worker's schema and its migrations at once; one wins,
 * and the other goes round again.
 */
const ofFirstStart = /"(migrations_pkey|pg_namespace_nspname_index|pg_type_typname_nsp_index)"/

/** The errors that only a defect makes, whoever was told of them and however they were repaired. */
export function checkServerLog(text: string): readonly Finding[] {
  const counts = new Map<string, number>()
  for (const line of text.split('\n')) {
    const [, code = '', said = ''] = /^(\w{5}) (?:ERROR|FATAL|PANIC): {1,2}(.*)/.exec(line) ?? []
    const what = defects.get(code)
    if (what === undefined || ofFirstStart.test(said)) continue
    const key = `${what} (${code}): ${said.replaceAll(/\d+/g, 'n')}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return [...counts].map(([what, times]) => ({ invariant: 'A', what: `${times} times ${what}` }))
}
