import {
  type CompiledQuery,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type SqlBool,
  sql,
} from 'kysely'
import type { Queryable } from './queryable.ts'

/**
 * Puts together what has parts: a list with the filters that somebody asked for and no others, so that the planner sees
 * those. It only writes statements; the Queryable runs them, in whatever transaction it is.
 */
export const builder = new Kysely<Record<string, never>>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (database) => new PostgresIntrospector(database),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
})

/** A condition, or none where the value was not given. */
export type Condition = ReturnType<typeof sql<SqlBool>> | null

/** `a and b and c`; `true` for none. */
export function all(conditions: readonly Condition[]): ReturnType<typeof sql<SqlBool>> {
  const given = conditions.filter((condition) => condition !== null)
  return given.length === 0 ? sql<SqlBool>`true` : sql<SqlBool>`${sql.join(given, sql` and `)}`
}

export function runBuilt<Row extends object>(
  queryable: Queryable,
  query: { compile(executor: typeof builder): CompiledQuery },
): Promise<Row[]> {
  const { sql: text, parameters } = query.compile(builder)
  return queryable.query<Row>(text, parameters)
}
