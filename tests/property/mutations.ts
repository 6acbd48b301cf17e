// Seeded defects: the verbs with one thing done wrong. A property test that finds none of them would prove nothing.

import type { Verb } from '../support/failpoints.ts'

interface Edit {
  readonly verb: string
  readonly find: RegExp
  readonly replace: string
}

export interface Mutation {
  readonly name: string
  /** A claim or the tick repairs most of what it breaks: looked for, and reported, without failing when it hides. */
  readonly mayHide?: boolean
  readonly edits: readonly Edit[]
}

const nobody = 'interlock_test.wake_nobody('

/** What mutated verbs call. */
export const mutationSupport = `
  create or replace function interlock_test.wake_nobody(p_resources text[], p_times integer[]) returns text[]
  language sql
  as $$ select '{}'::text[] $$;
`

export const mutations: readonly Mutation[] = [
  {
    name: 'no pass-on: a lane that cannot use what it was woken for wakes nobody',
    edits: [
      { verb: 'examine_lane', find: /interlock\.wake_resources\((?=v_mine)/g, replace: nobody },
      { verb: 'settle_lanes', find: /interlock\.wake_resources\(/g, replace: nobody },
    ],
  },
  {
    name: 'vacating wakes nobody',
    edits: [{ verb: 'examine_lane', find: /interlock\.wake_resources\((?=v_needed)/g, replace: nobody }],
  },
  {
    name: "all of a lane's touches are deleted, after its head was read",
    edits: [
      {
        verb: 'absorb_touches',
        find: /delete from interlock\.job_lane_touches[\s\S]*?(get diagnostics absorbed = row_count;)([\s\S]*?)(left_over := v_taken)/,
        replace: `$2
          delete from interlock.job_lane_touches as t where t.lane_id = any (v_lanes) or t.ctid = any (v_touches);
          $1
          $3`,
      },
    ],
  },
  {
    name: 'slots are read before they are locked',
    edits: [
      {
        verb: 'try_lanes',
        find: /pg_try_advisory_xact_lock\(interlock\.lock_key\([a-z.]+\)\)/,
        replace: 'true',
      },
      {
        verb: 'claim_jobs',
        find: /(v_slots := interlock\.read_slots\([^;]*;)/,
        replace: `$1
          v_try.locked := array(
            select pg_try_advisory_xact_lock(interlock.lock_key(x.r)) from unnest(v_try.names) with ordinality as x (r, n) order by x.n
          );`,
      },
    ],
  },
  {
    name: 'a wake for each resource, not for each slot',
    edits: [{ verb: 'wake_and_ring', find: /pg_catalog\.count\(\*\)::integer as times/, replace: '1 as times' }],
  },
  {
    name: 'no touch on return to pending',
    edits: [
      { verb: 'move_jobs', find: /where [a-z_.]+ = 'pending'\s+or (b\.status = 'pending')/, replace: 'where $1' },
    ],
  },
  {
    name: 'a locked head is taken for an empty lane',
    edits: [
      { verb: 'examine_lane', find: /contended := exists \([^;]*\);/, replace: 'contended := false;' },
      // The look at the head, which is to see it even if somebody else has it locked.
      {
        verb: 'read_heads',
        find: /(and k\.place is null\s+order by j\.seniority, j\.id\s+limit 1)/,
        replace: '$1 for no key update of j skip locked',
      },
    ],
  },
  {
    name: 'reservations are not a prefix',
    edits: [
      {
        verb: 'examine_lane',
        find: /n\.ord < array_position\(v_needed, v_obstacle\)/,
        replace: 'n.resource <> v_obstacle',
      },
    ],
  },
  {
    name: 'no token check on release',
    edits: [{ verb: 'release_held', find: /where j\.token = u\.token/g, replace: 'where true' }],
  },
  {
    name: 'resources are locked in no order',
    edits: [
      {
        verb: 'lock_resources',
        find: /select distinct (interlock\.lock_key[\s\S]*?)order by 1/,
        replace: 'select $1order by random()',
      },
    ],
  },
  {
    name: 'cancelling what waits leaves no touch',
    mayHide: true,
    edits: [{ verb: 'end_jobs', find: /where e\.status = 'pending'/, replace: 'where false' }],
  },
  {
    name: 'a raised limit wakes nobody',
    edits: [
      {
        verb: 'apply_limits',
        find: /where (l\.blocked_on is not null\s+and \(l\.id in)/,
        replace: 'where l.reserving and $1',
      },
    ],
  },
  {
    name: 'a new limit does not count what runs',
    edits: [{ verb: 'apply_limits', find: /and d\.resource <> all \(j\.held\)/, replace: 'and false' }],
  },
  {
    name: 'a lane that stops reserving wakes nobody',
    mayHide: true,
    edits: [{ verb: 'stop_reserving', find: /perform interlock\.wake_and_ring\(v_needed\);/, replace: '' }],
  },
  {
    name: 'a floor forgets what was in progress as it was raised',
    edits: [
      { verb: 'raise_lane_floors', find: /but = n\.but/, replace: "but = '{}'" },
      { verb: 'raise_touch_floor', find: /but = r\.but/, replace: "but = '{}'" },
    ],
  },
  {
    name: 'what is woken does not say since when',
    edits: [{ verb: 'wake_resources', find: /awake_by = pg_current_xact_id\(\)/, replace: 'awake_by = l.awake_by' }],
  },
  {
    name: 'heads are not locked',
    edits: [{ verb: 'read_heads', find: /for no key update of j skip locked/, replace: '' }],
  },
]

/** The verbs as the mutation leaves them. Throws when an edit finds nothing to change. */
export function mutated(verbs: readonly Verb[], { name, edits }: Mutation): Verb[] {
  return verbs.map((verb) => {
    let { definition } = verb
    for (const edit of edits) {
      if (edit.verb !== verb.name) continue
      const changed = definition.replace(edit.find, edit.replace)
      if (changed === definition) throw new Error(`the mutation "${name}" finds nothing to change in ${verb.name}`)
      definition = changed
    }
    return { ...verb, definition }
  })
}
