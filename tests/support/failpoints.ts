// Failpoints inside the verbs, in a test's own database only: each installed PL/pgSQL verb is created anew with a call of
// interlock_test.failpoint() before each of its statements. Production has neither the calls nor a switch for them.
//
// A session arms its next pause or crash with interlock_test.arm(); a pause waits for an advisory lock that the driver
// holds. It may not write: a verb that finds a transaction id assigned refuses to run (IL010).

import { findStatementStarts } from './plpgsql-statements.ts'

export interface Verb {
  readonly name: string
  /** As pg_get_functiondef() says it. */
  readonly definition: string
}

/** Class of the advisory locks (two integers) that pauses wait for; the verbs use other ones. */
export const gateClass = 1_904_777

/** SQLSTATE of a crash at a failpoint. */
export const crashState = 'XT001'

/** What a paused session says, as a NOTICE. */
export const pauseNotice = /^paused at (.+)$/

export const failpointSupport = `
  create schema if not exists interlock_test;

  -- At the p_hits-th failpoint from now on; where a name is given, only the failpoint of that name counts.
  create or replace function interlock_test.arm(p_hits integer, p_action text, p_name text) returns void
  language sql
  as $$
    select set_config('interlock_test.hits', p_hits::text, false), set_config('interlock_test.action', p_action, false),
      set_config('interlock_test.name', p_name, false)
  $$;

  create or replace function interlock_test.failpoint(p_name text) returns void
  language plpgsql
  as $$
  declare
    v_hits integer := nullif(current_setting('interlock_test.hits', true), '');
  begin
    if coalesce(v_hits, 0) = 0 or current_setting('interlock_test.name') not in ('', p_name) then
      return;
    end if;
    perform set_config('interlock_test.hits', (v_hits - 1)::text, false);
    if v_hits > 1 then
      return;
    end if;
    if current_setting('interlock_test.action') = 'crash' then
      raise exception using errcode = '${crashState}', message = 'crashed at ' || p_name;
    end if;
    raise notice 'paused at %', p_name;
    perform pg_advisory_lock(${gateClass}, pg_backend_pid());
    perform pg_advisory_unlock(${gateClass}, pg_backend_pid());
  end
  $$;
`

/** Lists the verbs that can have failpoints. */
export const verbsQuery = `
  select p.proname as name, pg_get_functiondef(p.oid) as definition
  from pg_proc as p
  join pg_language as l on l.oid = p.prolang
  where p.pronamespace = 'interlock'::regnamespace
    and l.lanname = 'plpgsql'
    and p.prorettype <> 'trigger'::regtype
  order by p.proname`

/** Of each verb, the failpoints that a call of it may come to: its own and those of the verbs that it calls. */
export function failpointsOf(verbs: readonly Verb[]): ReadonlyMap<string, readonly string[]> {
  const own = new Map(verbs.map((verb) => [verb.name, withFailpoints(verb).failpoints]))
  const calls = new Map(
    verbs.map(({ name, definition }) => [
      name,
      [...definition.matchAll(/\binterlock\.(\w+)\(/g)]
        .map(([, called = '']) => called)
        .filter((called) => own.has(called)),
    ]),
  )
  const reached = (name: string, passed: Set<string>): Set<string> => {
    if (!passed.has(name)) for (const called of calls.get(name) ?? []) reached(called, passed.add(name))
    return passed.add(name)
  }
  return new Map(
    verbs.map(({ name }) => [
      name,
      [...reached(name, new Set())].flatMap((verb) =>
        Array.from({ length: own.get(verb) ?? 0 }, (_, n) => `${verb}:${n + 1}`),
      ),
    ]),
  )
}

/** The verb's definition with a failpoint before each of its statements, named `verb:n`, and how many there are. */
export function withFailpoints({ name, definition }: Verb): { definition: string; failpoints: number } {
  const quoted = /AS (\$\w*\$)([\s\S]*)\1/.exec(definition)
  if (quoted === null) throw new Error(`the body of ${name} was not found`)
  const body = quoted[2] ?? ''
  const bodyAt = quoted.index + 'AS '.length + (quoted[1] ?? '').length
  const starts = findStatementStarts(body)
  let result = definition
  starts.toReversed().forEach(({ at }, fromEnd) => {
    const call = `perform interlock_test.failpoint('${name}:${starts.length - fromEnd}'); `
    result = result.slice(0, bodyAt + at) + call + result.slice(bodyAt + at)
  })
  return { definition: result, failpoints: starts.length }
}
