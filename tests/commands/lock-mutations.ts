// Seeded defects of what only commands reach: manual locks, start rates and pauses.

import type { Mutation } from '../property/mutations.ts'

export const lockMutations: readonly Mutation[] = [
  {
    name: 'a lock is extended past its lease',
    edits: [{ verb: 'extend_lock', find: /and j\.lease_until > v_now/, replace: '' }],
  },
  {
    name: 'a lock that ended wakes nobody',
    edits: [{ verb: 'release_lock', find: /perform interlock\.wake_and_ring\([^;]*;/, replace: '' }],
  },
  {
    name: 'a lock is released under any token',
    edits: [{ verb: 'release_lock', find: /coalesce\(p_token, v_lock\.token\)/, replace: 'v_lock.token' }],
  },
  {
    name: 'the end of a pause wakes nobody',
    edits: [{ verb: 'pause_resource', find: /perform interlock\.apply_limits\([^;]*;/, replace: '' }],
  },
  {
    name: 'a start rate that has room again wakes nobody',
    edits: [{ verb: 'wake_rate', find: /perform interlock\.wake_and_ring\([^;]*;/, replace: '' }],
  },
  {
    name: 'a start counts in its rate for half a minute',
    edits: [{ verb: 'grant_jobs', find: /p_now \+ interval '1 minute'/, replace: "p_now + interval '30 seconds'" }],
  },
]
