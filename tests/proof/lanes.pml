/* The scheduling core of Interlock, as a model for Spin: do the verbs, cut into their SQL statements and interleaved in every
 * way, keep what they promise? node scripts/proof.ts runs it; tests/proof/run-spin.ts says with which definitions.
 *
 * WHAT IS MODELLED. A process is a session; it lives through one transaction after the other, and `next` is the statement that
 * it comes to. Each d_step is one SQL statement at READ COMMITTED, named after the verb or the part of one (sql/functions, and
 * parts/) that it is of:
 *   claimer    claim_jobs: pop_lanes, try_lanes, read_slots, read_heads, grant_jobs, settle_lanes; examine_lane: the head,
 *              the second look at an empty lane, vacate, the obstacle, may_reserve, taking back, start, the next rank, park;
 *              claim_lane: lock_resources and the lane's row, waiting, for a lane that was contended
 *   releaser   complete_jobs and return_jobs (a sweep does the same with the jobs of a lost agent): lock_resources one by one,
 *              release_held, move_jobs
 *   both       wake_resources: the look, the choice, and the update of each lane, which waits for its row
 *   absorber   absorb_touches: take, create, lock, delete, read the heads
 *   enqueuer   enqueue_jobs, committed or rolled back;  canceller  cancel_job of what waits or runs, committed or rolled back
 *   tick       patience ends at any moment; wake_patient_lanes
 * A table's row is there twice: as committed, and as its transaction has left it (new_...), which nobody else sees before the
 * commit; `..._lock` says who has the row locked, `key` who has the advisory lock of a resource. A session reads its own
 * version, else the committed one; FOR UPDATE SKIP LOCKED passes by, UPDATE waits and looks again. With CRASHES a session may
 * die before any statement: its writes vanish, its locks go.
 *
 * WHAT IS PROVED, for each configuration of run-spin.ts, over all interleavings:
 *   - at each commit: never more holders and reservations than capacity; a slot is held by a job exactly while the job runs and
 *     needs it; only a reserving lane has reservations, and a parked one a prefix of what it needs; no lane has pending jobs and
 *     neither rank nor touch; none is parked on what it can use, unless a lane that needs it is awake (interlock.violations);
 *   - a slot is taken, reserved or freed only under the lock of its resource, and as many are taken as are needed;
 *   - where nothing is in flight, no touch is left and no lane awake, no job waits whose resources are neither held nor
 *     reserved, and none waits at all while nothing runs: nothing waits for what nobody uses, and each chain of reservations
 *     ends at a running job;
 *   - no deadlock between sessions: when nothing can happen any more nobody holds a lock, every job has ended and every slot is
 *     free;
 *   - with LIVENESS: every run in which each session goes on (weak fairness) comes to that end. It follows that every job is
 *     started at last, or cancelled, and that no sessions keep each other busy for ever.
 *
 * WHAT IS LEFT OUT, and why that may be.
 *   - Size: three resources, three lanes, four jobs, two claimers. It is a proof for these; that more would not change it, is
 *     what the histories of tests/property are for.
 *   - Rank: one route, in order of seniority, and a job's number is its seniority. Of fairness the rules need only that lanes
 *     are ordered; a stale rank is corrected in a lane that is locked. Routes do not meet but in wake_resources, which is the
 *     same for each of them.
 *   - A user's lanes behind one another in a line of a fair queue (sibling_line, promote_siblings): not modelled; the histories
 *     and the commands have them.
 *   - Doorbells: a claimer comes whenever a lane is awake, as the tick would have it.
 *   - Agents' rows: locking them takes interleavings away. That they cannot close a circle of waiting sessions is not shown.
 *   - Limits, pauses and priorities that change, routes without agents (stop_reserving), collect_idle: not modelled.
 *   - The tries of try_lanes are one step. Two claimers that try at once, lock by lock, get less than one after the other would;
 *     but all try in the order of the names, so that one of them gets what it came for.
 *   - Commit is one step. Postgres shows the changes first and then lets go of the advisory locks; who comes in between fails to
 *     lock, leaves the lane awake and comes back, as if the commit had not been yet.
 *   - A lane is examined alone when it was contended once, not three times; the bounds of a call (64 lanes, 256 locks) are not
 *     reached; an absorber takes all touches that there are.
 *   - Statements that read and write nothing but what their transaction has locked are one step with the statement before them;
 *     nobody could see them apart. EACH_STATEMENT makes every one a step of its own, to check that.
 *
 * WHAT IS FOUND. A MUTATION_... does one thing wrong. With CONSEQUENCES_ONLY the auditor is silent, so that it is found by what
 * comes of it: a job that waits for ever, or sessions that do.
 */

/* Resources are bits, in resource order: user:a, model:x, model:y. */
#define NR 3
#define A 1
#define X 2
#define Y 4

/* Lanes by what they need, and the lane of each job. */
#define NL 3
#define NJ 4
#if defined(RING)
#define NEEDS(l) ((l) == 0 -> A + X : ((l) == 1 -> X + Y : A + Y))
#define LANE_OF(j) ((j) == 0 -> 2 : ((j) == 1 -> 1 : ((j) == 2 -> 0 : 2)))
#elif defined(GANG)
#define NEEDS(l) ((l) == 0 -> A : ((l) == 1 -> A + X : X))
#define LANE_OF(j) ((j) == 0 -> 0 : ((j) == 1 -> 2 : ((j) == 2 -> 1 : 2)))
#elif defined(COUNTED)
#define NEEDS(l) ((l) == 0 -> A + X : ((l) == 1 -> X + Y : X))
#define LANE_OF(j) ((j) < 2 -> 2 : ((j) == 2 -> 0 : 1))
#define CAPACITY(r) ((r) == 1 -> 2 : 1)
#else
#define NEEDS(l) ((l) == 0 -> A : ((l) == 1 -> A + X : X + Y))
#define LANE_OF(j) ((j) == 0 -> 2 : ((j) == 1 -> 1 : ((j) == 2 -> 2 : 0)))
#endif
#ifndef CAPACITY
#define CAPACITY(r) 1
#endif

#ifndef CLAIMERS
#define CLAIMERS 2
#endif
#ifndef RELEASERS
#define RELEASERS 1
#endif
#ifndef ABSORBERS
#define ABSORBERS 1
#endif
/* p_limit of claim_jobs: 1 or 2 */
#ifndef LIMIT
#define LIMIT 1
#endif
/* how often a job may be given back, and a session die */
#ifndef RETURNS
#define RETURNS 0
#endif
#ifndef CRASHES
#define CRASHES 0
#endif
/* the jobs, a bit each, that are enqueued meanwhile (the others wait from the start, their lanes touched), and may be cancelled */
#ifndef ENQUEUED
#define ENQUEUED 0
#endif
#ifndef CANCELLED
#define CANCELLED 0
#endif

#define ME (_pid + 1)
#define HAS(set, n) (((set) >> (n)) & 1)
#define BIT(n) (1 << (n))
#define COUNT(set) (HAS(set, 0) + HAS(set, 1) + HAS(set, 2) + HAS(set, 3))
#define COUNT3(set) (HAS(set, 0) + HAS(set, 1) + HAS(set, 2))
/* a number of 0 to 3 for each resource, in one byte */
#define AT(numbers, r) (((numbers) >> (2 * (r))) & 3)
#define UNIT(r) (1 << (2 * (r)))

#define LOWEST(m) (HAS(m, 0) -> 0 : (HAS(m, 1) -> 1 : 2))
#define LOWEST_JOB(m) (HAS(m, 0) -> 0 : (HAS(m, 1) -> 1 : (HAS(m, 2) -> 2 : 3)))

/* interlock.jobs: the status, and with several releasers the token */
#define GONE 0
#define PENDING 1
#define HELD 2
#define STATUS(job) ((job) & 3)
#define TOKEN(job) ((job) >> 2)
#if ENQUEUED & 1
#define AT_FIRST0 GONE
#else
#define AT_FIRST0 PENDING
#endif
#if ENQUEUED & 2
#define AT_FIRST1 GONE
#else
#define AT_FIRST1 PENDING
#endif
#if ENQUEUED & 4
#define AT_FIRST2 GONE
#else
#define AT_FIRST2 PENDING
#endif
#if ENQUEUED & 8
#define AT_FIRST3 GONE
#else
#define AT_FIRST3 PENDING
#endif
byte jobs[NJ] = { AT_FIRST0, AT_FIRST1, AT_FIRST2, AT_FIRST3 };
byte new_jobs[NJ], job_lock[NJ];
#define JOB(j) (job_lock[j] == ME -> new_jobs[j] : jobs[j])

/* interlock.job_lanes */
/* a lane is one byte: rank (0: null), what it is parked on + 1 (0: nothing), whether it reserves, whether it exists */
#define LANE(rank, on, reserving) (64 + (rank) + 8 * (on) + 32 * (reserving))
#define RANK(lane) ((lane) & 7)
#define ON(lane) (((lane) >> 3) & 3)
#define RESERVING(lane) (((lane) >> 5) & 1)
#define EXISTS(lane) (((lane) >> 6) & 1)
#define AWAKE(lane) (RANK(lane) != 0 && ON(lane) == 0)
byte lanes[NL], new_lanes[NL], lane_lock[NL];
#define LANES(l) (lane_lock[l] == ME -> new_lanes[l] : lanes[l])

/* interlock.job_queue_state: the jobs that hold a slot of each resource, the lanes that have reserved one */
byte held[NR], new_held[NR], reserved[NR], new_reserved[NR], slot_lock[NR];
#define HOLDERS(r) (slot_lock[r] == ME -> new_held[r] : held[r])
#define RESERVERS(r) (slot_lock[r] == ME -> new_reserved[r] : reserved[r])
/* a lane wants resource r next: parked on it, or awake and in need of it */
#define IS_NEXT(lane, l, r) (ON(lane) == r + 1 || (ON(lane) == 0 && HAS(NEEDS(l), r)))
#define FREE(r) (CAPACITY(r) - COUNT(HOLDERS(r)) - COUNT(RESERVERS(r)))

/* interlock.job_lane_touches: how many of each lane; those that an absorber has taken are counted apart until it commits */
byte touches[NL] = { 1, 1, 1 };
byte taken_touches[NL];

/* pg_advisory_xact_lock */
byte key[NR];

byte returns, crashes;
bit patience_is_over;

/* Scratch of a single step; hidden: no part of a state. Results of inlines are left in best, b, n and chosen. */
hidden byte i, j, k, l, n, o, r, b, best, position, chosen, at_, last_, seen, turn;
hidden byte order[NL], scarcest[NL], heads[NL], asked[NR];

mtype = {
  IDLE, COMMIT, LOCK_RESOURCES, WAKE_LOOK, WAKE_PICK, WAKE_MOVE, WOKEN,
  POP_LANES, TRY_LANES, READ_SLOTS, READ_HEADS, GRANT_JOBS, SETTLE_LANES, LOCK_LANE,
  EXAMINE_HEAD, EXAMINE_AGAIN, VACATE, FIND_OBSTACLE, MAY_RESERVE, TAKE_BACK, START, RANK_NEXT, PARK,
  RELEASE_HELD, MOVE_JOBS, CREATE_LANES, LOCK_LANES, DELETE_TOUCHES, READ_HEADS
}

inline lock_lane(x) { if :: lane_lock[x] != ME -> lane_lock[x] = ME; new_lanes[x] = lanes[x] :: else fi }
inline lock_job(x) { if :: job_lock[x] != ME -> job_lock[x] = ME; new_jobs[x] = jobs[x] :: else fi }
inline lock_slots(x) {
  if
  :: slot_lock[x] != ME -> slot_lock[x] = ME; new_held[x] = held[x]; new_reserved[x] = reserved[x]
  :: else
  fi
}
#define NOT_ANOTHERS(lock) (lock == 0 || lock == ME)
#define SLOTS_ARE_MINE(needs) \
  ((!HAS(needs, 0) || NOT_ANOTHERS(slot_lock[0])) && \
  (!HAS(needs, 1) || NOT_ANOTHERS(slot_lock[1])) && \
  (!HAS(needs, 2) || NOT_ANOTHERS(slot_lock[2])))

#define MY_KEYS ((key[0] == ME) + 2 * (key[1] == ME) + 4 * (key[2] == ME))

#ifdef CONSEQUENCES_ONLY
#define UNDER_ITS_LOCK(r) skip
#else
inline UNDER_ITS_LOCK(x) {
  assert(key[x] == ME) /* a slot is changed without the lock of its resource */
}
#endif

inline end_transaction(is_commit) {
  for (i : 0 .. NJ - 1) {
    if
    :: job_lock[i] == ME ->
      if :: is_commit -> jobs[i] = new_jobs[i] :: else fi;
      job_lock[i] = 0;
      new_jobs[i] = 0
    :: else
    fi
  }
  for (i : 0 .. NL - 1) {
    if
    :: lane_lock[i] == ME ->
      if :: is_commit -> lanes[i] = new_lanes[i] :: else fi;
      lane_lock[i] = 0;
      new_lanes[i] = 0
    :: else
    fi;
    if :: is_commit && HAS(touching, i) -> touches[i]++ :: else fi
  }
  for (i : 0 .. NR - 1) {
    if
    :: slot_lock[i] == ME ->
      if :: is_commit -> held[i] = new_held[i]; reserved[i] = new_reserved[i] :: else fi;
      slot_lock[i] = 0;
      new_held[i] = 0;
      new_reserved[i] = 0
    :: else
    fi;
    if :: key[i] == ME -> key[i] = 0 :: else fi
  }
  touching = 0;
  audit()
}

/* The head of a lane as this session sees it: the first pending job. best = job + 1 or 0 */
inline find_head(x) {
  best = 0;
  for (j : 0 .. NJ - 1) {
    if :: best == 0 && LANE_OF(j) == x && STATUS(JOB(j)) == PENDING -> best = j + 1 :: else fi
  }
}

/* best = how many more senior reserving lanes want resource x next */
inline senior_reservers(x, who) {
  best = 0;
  for (o : 0 .. NL - 1) {
    if
    :: RESERVING(LANES(o)) && RANK(LANES(o)) < RANK(LANES(who)) &&
      (ON(LANES(o)) == x + 1 || (ON(LANES(o)) == 0 && HAS(NEEDS(o), x) && !HAS(RESERVERS(x), o))) -> best++
    :: else
    fi
  }
}
/* b = can_use */
inline can_use(x, who) {
  senior_reservers(x, who);
  b = HAS(RESERVERS(x), who) || FREE(x) > best
}

/* What interlock.violations says, asked of what is committed, at each commit. */
inline audit_tables() {
  for (r : 0 .. NR - 1) {
    assert(COUNT(held[r]) + COUNT(reserved[r]) <= CAPACITY(r)); /* more holders than capacity */
    for (j : 0 .. NJ - 1) {
      assert(HAS(held[r], j) == (STATUS(jobs[j]) == HELD && HAS(NEEDS(LANE_OF(j)), r))) /* a job and its slots disagree */
    }
    for (l : 0 .. NL - 1) {
      assert(!HAS(reserved[r], l) || RESERVING(lanes[l])) /* a reservation of a lane that does not reserve */
    }
  }
  chosen = 0; /* what awake lanes need */
  for (l : 0 .. NL - 1) {
    if :: AWAKE(lanes[l]) -> chosen = chosen | NEEDS(l) :: else fi
  }
  for (l : 0 .. NL - 1) {
    for (j : 0 .. NJ - 1) {
      n = (STATUS(jobs[j]) == PENDING && LANE_OF(j) == l && RANK(lanes[l]) == 0 && touches[l] + taken_touches[l] == 0);
      assert(!n) /* a lane has pending jobs, no rank and no touch */
    }
    if
    :: ON(lanes[l]) != 0 && !HAS(chosen, ON(lanes[l]) - 1) ->
      /* It is parked on what no awake lane needs: then it cannot use it. */
      r = ON(lanes[l]) - 1;
      best = 0;
      for (o : 0 .. NL - 1) {
        if
        :: RESERVING(lanes[o]) && RANK(lanes[o]) < RANK(lanes[l]) && ON(lanes[o]) == r + 1 -> best++
        :: else
        fi
      }
      n = (HAS(reserved[r], l) || CAPACITY(r) - COUNT(held[r]) - COUNT(reserved[r]) > best);
      assert(!n) /* a lane is parked on a resource that it can use */
    :: else
    fi;
    if
    :: RESERVING(lanes[l]) && ON(lanes[l]) != 0 && touches[l] + taken_touches[l] == 0 ->
      for (r : 0 .. NR - 1) {
        assert(!HAS(NEEDS(l), r) || HAS(reserved[r], l) == (r + 1 < ON(lanes[l]))) /* reservations are not a prefix */
      }
    :: else
    fi
  }
}

/* Where nothing is in flight and nothing awake, nothing waits but for what is used, and in the end for what runs. */
inline audit_rest() {
  seen = 0;
  for (l : 0 .. NL - 1) {
    if :: touches[l] + taken_touches[l] != 0 || lane_lock[l] != 0 || AWAKE(lanes[l]) -> seen = 1 :: else fi
  }
  for (r : 0 .. NR - 1) {
    if :: key[r] != 0 || slot_lock[r] != 0 -> seen = 1 :: else fi
  }
  for (j : 0 .. NJ - 1) {
    if :: job_lock[j] != 0 -> seen = 1 :: else fi
  }
  if
  :: !seen ->
    b = held[0] + held[1] + held[2];
    for (j : 0 .. NJ - 1) {
      n = 1;
      for (r : 0 .. NR - 1) {
        if :: HAS(NEEDS(LANE_OF(j)), r) && COUNT(held[r]) + COUNT(reserved[r]) >= CAPACITY(r) -> n = 0 :: else fi
      }
      assert(!(STATUS(jobs[j]) == PENDING && n)); /* a job waits while nothing it needs is used */
      assert(!(STATUS(jobs[j]) == PENDING && b == 0)) /* a job waits while nothing runs */
    }
  :: else
  fi
}

inline audit() {
#ifndef LIVENESS
#ifndef CONSEQUENCES_ONLY
  audit_tables();
#endif
  audit_rest();
#endif
  skip
}

#define NO_PICK (picked[0] + picked[1] + picked[2] == 0)
#define FIRST_PICK (picked[0] != 0 -> 0 : (picked[1] != 0 -> 1 : 2))

/* Its first statement: what was freed, has a free slot, and has somebody parked on it. */
inline wake_look() {
  wake_contested = 0;
  for (r : 0 .. NR - 1) {
    b = 0;
    n = 0;
    for (l : 0 .. NL - 1) {
      if :: ON(LANES(l)) == r + 1 -> b = 1 :: else fi;
      if :: RESERVING(LANES(l)) && IS_NEXT(LANES(l), l, r) -> n = 1 :: else fi
    }
    if
    :: AT(wakes, r) > 0 && (b == 0 || FREE(r) == 0) -> wakes = wakes - AT(wakes, r) * UNIT(r)
    :: AT(wakes, r) > 0 && b == 1 && FREE(r) > 0 && n == 1 -> wake_contested = wake_contested | BIT(r)
    :: else
    fi
  }
  next = (wakes == 0 -> WOKEN : WAKE_PICK)
}

/* The most senior of those parked on each; what is contested one slot at a time, and only for whom it is usable. */
inline wake_pick() {
  chosen = 0;
  for (r : 0 .. NR - 1) {
    n = (HAS(wake_contested, r) -> (AT(wakes, r) > 0) : AT(wakes, r));
    do
    :: n == 0 -> break
    :: else ->
      n--;
      best = 0;
      for (l : 0 .. NL - 1) {
        if
        :: ON(LANES(l)) == r + 1 && !HAS(chosen, l) && (best == 0 || RANK(LANES(l)) < RANK(LANES(best - 1))) -> best = l + 1
        :: else
        fi
      }
      if
      :: best == 0 -> n = 0
      :: else ->
        l = best - 1;
        b = 1;
        if :: HAS(wake_contested, r) -> can_use(r, l) :: else fi;
        if
        :: b ->
          picked[l] = RANK(LANES(l)) + 8 * (r + 1);
          chosen = chosen | BIT(l)
        :: else
        fi
      fi
    od
  }
  is_changed = 0;
  if
  :: chosen == 0 -> wakes = 0; next = WOKEN
  :: else -> next = WAKE_MOVE
  fi
}

/* Makes one of them awake: it waits for the row; one that was changed meanwhile does not match, and they are chosen again. */
inline wake_move() {
  l = FIRST_PICK;
  if
  :: RANK(LANES(l)) == (picked[l] & 7) && ON(LANES(l)) == picked[l] >> 3 ->
    lock_lane(l);
    new_lanes[l] = new_lanes[l] & ~24
  :: else ->
    is_changed = 1;
#ifndef EACH_STATEMENT
    lock_lane(l) /* an update that finds its row changed under it has locked it, and does not let go */
#endif
  fi;
  picked[l] = 0;
  if
  :: NO_PICK && is_changed -> next = WAKE_PICK
  :: NO_PICK && !is_changed ->
    for (r : 0 .. NR - 1) {
      if
      :: HAS(wake_contested, r) && AT(wakes, r) > 0 -> wakes = wakes - UNIT(r)
      :: else -> wakes = wakes - AT(wakes, r) * UNIT(r)
      fi
    }
    next = (wakes == 0 -> WOKEN : WAKE_PICK)
  :: else
  fi
}

#ifdef EACH_STATEMENT
#define wake_resources_look() wake_look()
#define wake_resources_pick() wake_pick()
#else
/* A look that is later sees the same: nobody parks on what is locked here. A lane that is locked between pick and move might */
/* as well have been locked before. */
inline wake_at_once() {
  do
  :: next == WAKE_PICK -> wake_pick()
  :: next == WAKE_MOVE && NOT_ANOTHERS(lane_lock[FIRST_PICK]) -> wake_move()
  :: else -> break
  od
}
inline wake_resources_look() { wake_look(); wake_at_once() }
inline wake_resources_pick() { wake_at_once() }
#endif

#define HIGHEST(m) (HAS(m, 2) -> 2 : (HAS(m, 1) -> 1 : 0))
/* lock_resources: waiting, one after the other in the order of the lock keys, which is not the resource order */
#ifdef MUTATION_LOCKS_IN_NO_ORDER
#define NEXT_KEY (_pid & 1 -> LOWEST(todo) : HIGHEST(todo))
#else
#define NEXT_KEY HIGHEST(todo)
#endif
#define NEXT_KEY_IS_FREE NOT_ANOTHERS(key[NEXT_KEY])
inline lock_next() {
  r = NEXT_KEY;
  key[r] = ME;
  todo = todo & ~BIT(r)
}

/* grant_jobs: the slots of one job, its lane's own reserved ones first; the number taken must equal the number needed */
inline take_slots(job, own) {
  for (r : 0 .. NR - 1) {
    if
    :: HAS(NEEDS(LANE_OF(job)), r) ->
      UNDER_ITS_LOCK(r);
      lock_slots(r);
      if
      :: own != 0 && HAS(new_reserved[r], own - 1) -> new_reserved[r] = new_reserved[r] & ~BIT(own - 1)
      :: else ->
        assert(COUNT(new_held[r]) + COUNT(new_reserved[r]) < CAPACITY(r)) /* fewer slots taken than needed */
      fi;
      new_held[r] = new_held[r] | BIT(job)
    :: else
    fi
  }
  assert(STATUS(JOB(job)) == PENDING); /* a job is started that does not wait */
  lock_job(job);
#if RELEASERS > 1
  new_jobs[job] = HELD + 4 * (TOKEN(new_jobs[job]) + 1)
#else
  new_jobs[job] = HELD
#endif
}

/* The batch of claim_jobs ---------------------------------------------------------------------------------------- */

#define CAN_POP(x) (lane_lock[x] == 0 && AWAKE(lanes[x]))
#define ANY_TO_POP (CAN_POP(0) || CAN_POP(1) || CAN_POP(2))

inline pop_lanes() {
  batch = 0;
  for (l : 0 .. NL - 1) {
    if
    :: NOT_ANOTHERS(lane_lock[l]) && AWAKE(LANES(l)) && !HAS(contended, l) ->
      lock_lane(l);
      batch = batch | BIT(l)
    :: else
    fi
  };
  skip
}

inline try_lanes() {
  for (l : 0 .. NL - 1) {
    for (r : 0 .. NR - 1) {
      if :: HAS(batch, l) && HAS(NEEDS(l), r) && key[r] == 0 -> key[r] = ME :: else fi
    }
  };
  skip
}

inline read_slots() {
  free = 0;
  contested = 0;
  for (r : 0 .. NR - 1) {
    free = free + FREE(r) * UNIT(r);
    if :: RESERVERS(r) != 0 -> contested = contested | BIT(r) :: else fi;
    for (l : 0 .. NL - 1) {
      if
      :: RESERVING(LANES(l)) && IS_NEXT(LANES(l), l, r) -> contested = contested | BIT(r)
      :: else
      fi
    }
  };
  skip
}

/* best = the most senior lane of a set that is not empty */
inline most_senior(set) {
  best = NL;
  for (l : 0 .. NL - 1) {
    if :: HAS(set, l) && (best == NL || RANK(LANES(l)) < RANK(LANES(best))) -> best = l :: else fi
  }
}

/* locks the first heads of lane x that nobody else has locked, at most many of them: a bit each in chosen */
inline lock_heads(x, many) {
  chosen = 0;
  for (j : 0 .. NJ - 1) {
    if
    :: COUNT(chosen) < many && LANE_OF(j) == x && STATUS(JOB(j)) == PENDING && NOT_ANOTHERS(job_lock[j]) ->
      lock_job(j);
      chosen = chosen | BIT(j)
    :: else
    fi
  }
}

/* read_heads(), and what heads_wanted() and decide_lanes() make of what was read, which no statement comes between. */
inline read_heads() {
  n = 0;
  k = batch;
  specials = 0;
  do
  :: k == 0 -> break
  :: else ->
    most_senior(k);
    order[n] = best;
    n++;
    k = k & ~BIT(best)
  od;
  at_ = n;
  last_ = n;
  for (position : 0 .. n - 1) {
    l = order[position];
    b = 0;
    k = 0;
    seen = 0;
    scarcest[l] = 3;
    for (r : 0 .. NR - 1) {
      if
      :: HAS(NEEDS(l), r) ->
        if :: key[r] != ME -> b = 1 :: else fi;
        if :: AT(free, r) < scarcest[l] -> scarcest[l] = AT(free, r) :: else fi;
        if :: AT(free, r) > 0 -> k = 1 :: else fi;
        if :: HAS(contested, r) -> seen = 1 :: else fi
      :: else
      fi
    }
    if :: RESERVING(LANES(l)) -> seen = 1 :: else fi;
    if :: !b && seen && position < last_ -> last_ = position :: else fi;
    find_head(l);
#ifdef MUTATION_LOCKED_HEAD_TAKEN_FOR_EMPTY
    if :: best != 0 && !NOT_ANOTHERS(job_lock[best - 1]) -> best = 0 :: else fi;
#endif
    if :: best == 0 -> seen = 1 :: else fi;
#ifdef RESERVE
    if :: patience_is_over && scarcest[l] == 0 && COUNT3(NEEDS(l)) > 1 -> seen = 1 :: else fi;
#endif
#ifdef MUTATION_VACATE_WITHOUT_LOCKS
    if :: best == 0 -> b = 0 :: else fi;
#endif
    if :: b -> scarcest[l] = 4 :: else fi; /* 4: contended */
    if :: !b && seen -> specials = specials | BIT(l) :: else fi;
    if
    :: !b && seen && position < at_ -> at_ = position
    :: !b && !seen && scarcest[l] == 0 && k && position + 1 < at_ -> at_ = position + 1
    :: else
    fi
  }
  /* heads, turns, starts */
  starts = 0;
  settling = 0;
  turn = 0;
  for (r : 0 .. NR - 1) { asked[r] = 0 }
  for (position : 0 .. NL - 1) {
    if
    :: position < last_ && scarcest[order[position]] > 0 && scarcest[order[position]] < 4 ->
      /* locked even beyond where it stops: that is known only when the heads are read */
      l = order[position];
      seen = (scarcest[l] < room -> scarcest[l] : room);
      lock_heads(l, seen);
      heads[l] = chosen
    :: position < n -> heads[order[position]] = 0
    :: else
    fi
  }
  for (k : 1 .. LIMIT) { /* the first head of each lane, then the further ones */
    for (position : 0 .. NL - 1) {
      if
      :: position < at_ && heads[order[position]] != 0 ->
        l = order[position];
        best = LOWEST_JOB(heads[l]);
        heads[l] = heads[l] & ~BIT(best);
        b = (turn < room -> 0 : 1);
        for (r : 0 .. NR - 1) {
          if :: HAS(NEEDS(l), r) && asked[r] >= AT(free, r) -> b = 1 :: else fi
        }
        if
        :: !b ->
          turn++;
          starts = starts | BIT(best);
          for (r : 0 .. NR - 1) {
            if :: HAS(NEEDS(l), r) -> asked[r] = asked[r] + 1 :: else fi
          }
        :: else
        fi;
        settling = settling | BIT(l)
      :: position < at_ && k == 1 ->
        l = order[position];
        if
        :: scarcest[l] == 0 -> settling = settling | BIT(l)
        :: else -> contended = contended | BIT(l)
        fi
      :: else
      fi
    }
  }
  for (position : 0 .. NL - 1) {
    if :: position < at_ -> batch = batch & ~BIT(order[position]) :: else fi
  }
  specials = specials & batch;
  /* special of the first that is left: the ones after it are looked at again if it is not */
  if
  :: at_ < n && !HAS(specials, order[at_]) -> specials = 0
  :: else
  fi
}

inline settle_lanes() {
  for (j : 0 .. NJ - 1) {
    for (r : 0 .. NR - 1) {
      if :: HAS(starts, j) && HAS(NEEDS(LANE_OF(j)), r) -> free = free - UNIT(r) :: else fi
    }
  }
  wakes = 0;
  for (l : 0 .. NL - 1) {
    if
    :: HAS(settling, l) ->
      b = 0;
      for (j : 0 .. NJ - 1) {
        if :: HAS(starts, j) && LANE_OF(j) == l -> b = 1 :: else fi
      }
      n = 0; /* park_on + 1 */
      for (r : 0 .. NR - 1) {
        if :: n == 0 && HAS(NEEDS(l), r) && AT(free, r) == 0 -> n = r + 1 :: else fi
      }
      if
      :: b || n != 0 ->
        find_head(l);
#ifdef RESERVE
        if :: b && COUNT3(NEEDS(l)) > 1 && patience_is_over -> n = 0 :: else fi;
#endif
        if
        :: best == 0 && b -> new_lanes[l] = 0 /* deleted */
        :: best == 0 && !b -> new_lanes[l] = LANE(RANK(new_lanes[l]), 0, RESERVING(new_lanes[l]))
        :: best != 0 && b -> new_lanes[l] = LANE(best, n, RESERVING(new_lanes[l]))
        :: else -> new_lanes[l] = LANE(RANK(new_lanes[l]), n, RESERVING(new_lanes[l]))
        fi;
#ifndef MUTATION_NO_PASS_ON
        for (r : 0 .. NR - 1) {
          if :: HAS(NEEDS(l), r) && AT(free, r) > 0 && AT(wakes, r) < 3 -> wakes = wakes + UNIT(r) :: else fi
        }
#endif
      :: else
      fi
    :: else
    fi
  }
  free = 0;
  contested = 0;
  starts = 0;
  settling = 0
}

inline forget_claim() {
  batch = 0; free = 0; contested = 0; specials = 0; contended = 0; starts = 0; settling = 0; lane = 0; head = 0; obstacle = 0;
  todo = 0; wakes = 0; wake_contested = 0; picked[0] = 0; picked[1] = 0; picked[2] = 0;
  is_changed = 0; is_alone = 0; is_examining = 0; has_examined = 0; may = 0; is_there = 0; room = LIMIT;
  next = IDLE
}

/* What comes after a batch, or a lane of it: the next lane that needs every rule, the rest of the batch, another round, the end. */
inline go_on() {
  if
  :: specials != 0 ->
    most_senior(batch);
    if :: !HAS(specials, best) -> specials = 0 :: else fi
  :: else
  fi;
  if
  :: batch != 0 && room != 0 && specials != 0 ->
    lane = best;
    batch = batch & ~BIT(lane);
    specials = specials & ~BIT(lane);
    has_examined = 1;
    is_examining = 1;
    next = EXAMINE_HEAD
  :: batch != 0 && room != 0 && specials == 0 && has_examined -> next = READ_SLOTS
  :: else ->
    batch = 0;
    specials = 0;
    has_examined = 0;
    next = (room == LIMIT -> POP_LANES : COMMIT) /* 2 * room > wanted */
  fi
}

inline woken() {
  if
  :: next == WOKEN && is_examining ->
    is_examining = 0; head = 0; obstacle = 0; lane = 0; wake_contested = 0;
    if
    :: is_alone -> next = COMMIT
    :: else -> go_on()
    fi
  :: next == WOKEN && !is_examining ->
    wake_contested = 0;
    go_on()
  :: else
  fi
}

inline grant_jobs() {
  for (k : 0 .. NJ - 1) {
    if :: HAS(starts, k) -> take_slots(k, 0); room-- :: else fi
  }
  next = SETTLE_LANES
}

inline examine_head() {
  lock_heads(lane, 1);
  head = (chosen == 0 -> 0 : LOWEST_JOB(chosen) + 1);
  next = (head == 0 -> EXAMINE_AGAIN : FIND_OBSTACLE)
}

/* No head that could be locked: hold nothing. Truly empty: the lane is deleted. */
inline vacate() {
  wakes = 0;
  for (r : 0 .. NR - 1) {
    if
    :: HAS(NEEDS(lane), r) ->
      if
      :: HAS(RESERVERS(r), lane) ->
        UNDER_ITS_LOCK(r);
        lock_slots(r);
        new_reserved[r] = new_reserved[r] & ~BIT(lane)
      :: else
      fi;
#ifndef MUTATION_VACATE_WITHOUT_WAKE
      wakes = wakes + UNIT(r)
#endif
    :: else
    fi
  }
  new_lanes[lane] = (is_there -> LANE(RANK(new_lanes[lane]), 0, 0) : 0);
  if :: is_there -> contended = contended | BIT(lane) :: else fi;
  is_there = 0;
  next = (wakes == 0 -> WOKEN : WAKE_LOOK)
}

inline find_obstacle() {
  obstacle = 0;
  for (r : 0 .. NR - 1) {
    if
    :: HAS(NEEDS(lane), r) && obstacle == 0 ->
      can_use(r, lane);
      if :: !b -> obstacle = r + 1 :: else fi
    :: else
    fi
  }
#ifdef RESERVE
  next = (obstacle == 0 -> START : MAY_RESERVE)
#else
  next = (obstacle == 0 -> START : PARK)
#endif
}

inline may_reserve() {
  may = patience_is_over && COUNT3(NEEDS(lane)) > 1;
  for (o : 0 .. NL - 1) {
    if :: ON(LANES(o)) == obstacle && RANK(LANES(o)) < RANK(LANES(lane)) -> may = 0 :: else fi
  }
  next = (may -> TAKE_BACK : PARK)
}

/* The most junior reservation of the obstacle, if only such keep it from this lane. */
inline take_back() {
  r = obstacle - 1;
  n = 0;
  k = NL;
  for (l : 0 .. NL - 1) {
    if
    :: HAS(RESERVERS(r), l) && RANK(LANES(l)) > RANK(LANES(lane)) ->
      n++;
      if :: k == NL || RANK(LANES(l)) > RANK(LANES(k)) -> k = l :: else fi
    :: else
    fi
  }
  senior_reservers(r, lane);
  if
  :: k < NL && FREE(r) + n > best ->
    UNDER_ITS_LOCK(r);
    lock_slots(r);
    new_reserved[r] = new_reserved[r] & ~BIT(k);
    touching = touching | BIT(k);
    may = 0;
    next = FIND_OBSTACLE
  :: else -> next = PARK
  fi
}

inline rank_next() {
  find_head(lane);
  new_lanes[lane] = (best == 0 -> 0 : LANE(best, 0, 0));
  wakes = 0;
  for (r : 0 .. NR - 1) {
#ifndef MUTATION_VACATE_WITHOUT_WAKE
    if :: best == 0 && HAS(NEEDS(lane), r) -> wakes = wakes + UNIT(r) :: else fi
#else
    skip
#endif
  }
  next = (wakes == 0 -> WOKEN : WAKE_LOOK)
}

#ifdef MUTATION_RESERVATIONS_NOT_A_PREFIX
#define IS_KEPT(r) (may && r + 1 != obstacle)
#else
#define IS_KEPT(r) (may && r + 1 < obstacle)
#endif

inline park() {
  wakes = 0;
  for (r : 0 .. NR - 1) {
    if
    :: HAS(NEEDS(lane), r) ->
      if
      :: IS_KEPT(r) && !HAS(RESERVERS(r), lane) && FREE(r) > 0 ->
        UNDER_ITS_LOCK(r);
        lock_slots(r);
        new_reserved[r] = new_reserved[r] | BIT(lane)
      :: !IS_KEPT(r) && HAS(RESERVERS(r), lane) ->
        UNDER_ITS_LOCK(r);
        lock_slots(r);
        new_reserved[r] = new_reserved[r] & ~BIT(lane)
      :: else
      fi;
#ifndef MUTATION_NO_PASS_ON
      if :: !HAS(RESERVERS(r), lane) -> wakes = wakes + UNIT(r) :: else fi
#endif
    :: else
    fi
  }
  new_lanes[lane] = LANE(RANK(new_lanes[lane]), obstacle, may);
  may = 0;
  next = (wakes == 0 -> WOKEN : WAKE_LOOK)
}

/* With EACH_STATEMENT every statement is a step. Without, a statement that reads and writes nothing but what its transaction */
/* has locked is one step with the statement before it. */
#ifdef EACH_STATEMENT
#define AND_THEN(step, statement)
#else
#define AND_THEN(step, statement) if :: next == step -> statement :: else fi;
#endif

#ifdef MUTATION_READ_BEFORE_LOCK
#define FIRST_OF_A_ROUND READ_SLOTS
#else
#define FIRST_OF_A_ROUND TRY_LANES
#endif
#define KEY_IS_MINE_IN(set, r) (!HAS(set, r) || key[r] == ME)
#define ALL_KEYS_ARE_MINE(set) (KEY_IS_MINE_IN(set, 0) && KEY_IS_MINE_IN(set, 1) && KEY_IS_MINE_IN(set, 2))

active [CLAIMERS] proctype claimer() {
  byte again; /* the lane, + 1, that was contended: examined alone in the next transaction */
  byte batch, free, contested, specials, contended, starts, settling; /* of read_heads; sets are a bit each */
  byte lane, head, obstacle, todo, wakes, wake_contested, touching;
  byte picked[NL];
  bit is_changed, is_alone, may, is_there, has_examined, is_examining;
  byte room = LIMIT;
  mtype next = IDLE;

end:
  do
  /* claim_jobs */
  :: d_step {
      next == IDLE && again == 0 && ANY_TO_POP ->
      pop_lanes();
      next = FIRST_OF_A_ROUND
    }
  :: d_step {
      next == POP_LANES ->
      pop_lanes();
      next = (batch == 0 -> COMMIT : FIRST_OF_A_ROUND)
    }
#ifdef MUTATION_READ_BEFORE_LOCK
  :: d_step { next == READ_SLOTS -> read_slots(); next = TRY_LANES }
  :: d_step { next == TRY_LANES -> try_lanes(); next = READ_HEADS }
#else
  :: d_step {
      next == TRY_LANES ->
      try_lanes();
      next = READ_SLOTS;
      AND_THEN(READ_SLOTS, read_slots(); next = READ_HEADS)
      skip
    }
  :: d_step { next == READ_SLOTS -> read_slots(); next = READ_HEADS }
#endif
  :: d_step {
      next == READ_HEADS && SLOTS_ARE_MINE(MY_KEYS) ->
      has_examined = 0;
      read_heads();
      if
      :: settling == 0 -> free = 0; contested = 0; next = WOKEN
      :: else -> next = (starts == 0 -> SETTLE_LANES : GRANT_JOBS)
      fi;
      AND_THEN(GRANT_JOBS, grant_jobs())
      woken()
    }
  :: d_step { next == GRANT_JOBS && SLOTS_ARE_MINE(MY_KEYS) -> grant_jobs() }
  :: d_step {
      next == SETTLE_LANES ->
      settle_lanes();
      next = (wakes == 0 -> WOKEN : WAKE_LOOK);
      woken()
    }
  /* examine_lane */
  :: d_step {
      next == EXAMINE_HEAD ->
      examine_head();
#ifdef MUTATION_VACATE_WITHOUT_LOCKS
      /* Not empty any more: without the locks there is nothing to be done with it. */
      if
      :: head != 0 && !ALL_KEYS_ARE_MINE(NEEDS(lane)) -> contended = contended | BIT(lane); next = WOKEN
      :: else
      fi;
#endif
#ifndef RESERVE
      AND_THEN(FIND_OBSTACLE, find_obstacle())
      AND_THEN(START, take_slots(head - 1, lane + 1); room--; next = RANK_NEXT)
      AND_THEN(PARK, park())
#endif
      woken()
    }
  :: d_step {
      next == EXAMINE_AGAIN ->
      find_head(lane);
#ifndef MUTATION_LOCKED_HEAD_TAKEN_FOR_EMPTY
      is_there = (best != 0);
#endif
      next = VACATE;
#ifndef MUTATION_VACATE_WITHOUT_LOCKS
      AND_THEN(VACATE, vacate())
#endif
      woken()
    }
  :: d_step { next == VACATE && SLOTS_ARE_MINE(NEEDS(lane)) -> vacate(); woken() }
  :: d_step {
      next == FIND_OBSTACLE && SLOTS_ARE_MINE(NEEDS(lane)) ->
      find_obstacle();
      AND_THEN(START, take_slots(head - 1, lane + 1); room--; next = RANK_NEXT)
      skip
    }
#ifdef RESERVE
  :: d_step {
      next == MAY_RESERVE && SLOTS_ARE_MINE(NEEDS(lane)) ->
      may_reserve();
      AND_THEN(PARK, park())
      woken()
    }
  :: d_step {
      next == TAKE_BACK && SLOTS_ARE_MINE(NEEDS(lane)) ->
      take_back();
      AND_THEN(PARK, park())
      woken()
    }
#endif
  :: d_step { next == START && SLOTS_ARE_MINE(NEEDS(lane)) -> take_slots(head - 1, lane + 1); room--; next = RANK_NEXT }
  :: d_step { next == RANK_NEXT -> rank_next(); woken() }
  :: d_step { next == PARK && SLOTS_ARE_MINE(NEEDS(lane)) -> park(); woken() }
  /* wake_resources */
  :: d_step { next == WAKE_LOOK -> wake_resources_look(); woken() }
  :: d_step { next == WAKE_PICK -> wake_resources_pick(); woken() }
  :: d_step { next == WAKE_MOVE && NOT_ANOTHERS(lane_lock[FIRST_PICK]) -> wake_move(); woken() }
  /* claim_lane */
  :: d_step {
      next == IDLE && again != 0 ->
      lane = again - 1;
      again = 0;
      is_alone = 1;
      todo = NEEDS(lane);
      next = LOCK_RESOURCES
    }
  :: d_step {
      next == LOCK_RESOURCES && NEXT_KEY_IS_FREE ->
      lock_next();
      if :: todo == 0 -> next = LOCK_LANE :: else fi
    }
  :: d_step {
      next == LOCK_LANE && (!AWAKE(lanes[lane]) || lane_lock[lane] == 0) ->
      if
      :: AWAKE(lanes[lane]) ->
        lock_lane(lane);
        is_examining = 1;
        next = EXAMINE_HEAD
      :: else -> next = COMMIT
      fi
    }
  :: d_step {
      next == COMMIT ->
      again = (contended == 0 || is_alone -> 0 : LOWEST(contended) + 1);
      end_transaction(1);
      forget_claim()
    }
#if CRASHES > 0
  :: d_step {
      next != IDLE && crashes < CRASHES ->
      crashes++;
      again = 0;
      end_transaction(0);
      forget_claim()
    }
#endif
  od
}

/* complete_jobs and return_jobs (a sweep does with the jobs of a lost agent what the latter does) ------------------ */

#if RELEASERS > 1
#define IS_ITS_TOKEN(j) (TOKEN(jobs[j]) == tokens[j])
#else
#define IS_ITS_TOKEN(j) true
#endif

inline forget_release() {
  asked_jobs = 0; freed = 0; gives_back = 0; todo = 0; wakes = 0; wake_contested = 0; is_changed = 0;
  picked[0] = 0; picked[1] = 0; picked[2] = 0;
#if RELEASERS > 1
  for (j : 0 .. NJ - 1) { tokens[j] = 0 }
#endif
  next = IDLE
}

/* Under the locks, and read anew: is the token still the one? */
inline release_held() {
  for (j : 0 .. NJ - 1) {
    if
    :: HAS(asked_jobs, j) && STATUS(JOB(j)) == HELD && IS_ITS_TOKEN(j) ->
      freed = freed | BIT(j);
      for (r : 0 .. NR - 1) {
        if
        :: HAS(NEEDS(LANE_OF(j)), r) ->
          UNDER_ITS_LOCK(r);
          lock_slots(r);
          assert(HAS(new_held[r], j)); /* fewer slots freed than held */
          new_held[r] = new_held[r] & ~BIT(j);
          wakes = wakes + UNIT(r)
        :: else
        fi
      }
    :: else
    fi
  }
  asked_jobs = 0;
  todo = 0;
  next = (freed == 0 -> COMMIT : MOVE_JOBS)
}

inline move_jobs() {
  for (j : 0 .. NJ - 1) {
    if
    :: HAS(freed, j) ->
      lock_job(j);
      if
      :: gives_back ->
        new_jobs[j] = new_jobs[j] - HELD + PENDING;
#ifndef MUTATION_NO_TOUCH_ON_RETURN
        touching = touching | BIT(LANE_OF(j))
#endif
      :: else -> new_jobs[j] = GONE
      fi
    :: else
    fi
  }
  next = WAKE_LOOK
}

#define JOBS_ARE_MINE(set) (IS_MINE_IN(set, 0) && IS_MINE_IN(set, 1) && IS_MINE_IN(set, 2) && IS_MINE_IN(set, 3))
#define IS_MINE_IN(set, j) (!HAS(set, j) || NOT_ANOTHERS(job_lock[j]))
#define IS_HELD(j) (STATUS(jobs[j]) == HELD)
#define ANY_HELD (IS_HELD(0) || IS_HELD(1) || IS_HELD(2) || IS_HELD(3))

active [RELEASERS] proctype releaser() {
  byte asked_jobs, freed, todo, wakes, wake_contested, touching;
  byte picked[NL];
  bit is_changed, gives_back;
#if RELEASERS > 1
  byte tokens[NJ];
#endif
  mtype next = IDLE;

end:
  do
  :: atomic {
      next == IDLE && ANY_HELD ->
      if
      :: IS_HELD(0) -> asked_jobs = BIT(0)
      :: IS_HELD(1) -> asked_jobs = BIT(1)
      :: IS_HELD(2) -> asked_jobs = BIT(2)
      :: IS_HELD(3) -> asked_jobs = BIT(3)
      fi;
#ifdef RELEASE_TOGETHER
      if
      :: true
      :: asked_jobs = IS_HELD(0) + 2 * IS_HELD(1) + 4 * IS_HELD(2) + 8 * IS_HELD(3)
      fi;
#endif
      if
      :: gives_back = 0
      :: returns < RETURNS -> returns++; gives_back = 1
      fi;
      d_step {
        for (j : 0 .. NJ - 1) {
          if
          :: HAS(asked_jobs, j) ->
            todo = todo | NEEDS(LANE_OF(j));
#if RELEASERS > 1
            tokens[j] = TOKEN(jobs[j])
#endif
          :: else
          fi
        }
#ifdef MUTATION_RELEASE_WITHOUT_LOCK
        next = RELEASE_HELD
#else
        next = LOCK_RESOURCES
#endif
      }
    }
  :: d_step {
      next == LOCK_RESOURCES && NEXT_KEY_IS_FREE ->
      lock_next();
      if :: todo == 0 -> next = RELEASE_HELD :: else fi;
#ifndef EACH_STATEMENT
      /* What it frees is locked, and so it is one step with the last lock, and with the move of the jobs if that need not wait. */
      if
      :: next == RELEASE_HELD -> release_held()
      :: else
      fi;
      if
      :: next == MOVE_JOBS && JOBS_ARE_MINE(freed) -> move_jobs()
      :: else
      fi
#endif
    }
  :: d_step { next == RELEASE_HELD && SLOTS_ARE_MINE(todo) -> release_held() }
  :: d_step { next == MOVE_JOBS && JOBS_ARE_MINE(freed) -> move_jobs() }
  :: d_step { next == WAKE_LOOK -> wake_resources_look(); if :: next == WOKEN -> next = COMMIT :: else fi }
  :: d_step { next == WAKE_PICK -> wake_resources_pick(); if :: next == WOKEN -> next = COMMIT :: else fi }
  :: d_step {
      next == WAKE_MOVE && NOT_ANOTHERS(lane_lock[FIRST_PICK]) ->
      wake_move();
      if :: next == WOKEN -> next = COMMIT :: else fi
    }
  :: d_step { next == COMMIT -> end_transaction(1); forget_release() }
#if CRASHES > 0
  :: d_step { next != IDLE && crashes < CRASHES -> crashes++; end_transaction(0); forget_release() }
#endif
  od
}

/* absorb_touches --------------------------------------------------------------------------------------------------- */

inline end_absorb(is_commit) {
  for (l : 0 .. NL - 1) {
    if
    :: is_commit && HAS(deleted, l) -> skip
    :: else -> touches[l] = touches[l] + taken[l]
    fi;
    taken_touches[l] = taken_touches[l] - taken[l];
    taken[l] = 0
  }
  end_transaction(is_commit);
  deleted = 0;
  locked = 0;
  creating = 0;
  next = IDLE
}

/* Those that are missing, and have something pending. */
inline find_missing() {
  for (l : 0 .. NL - 1) {
    find_head(l);
    if :: taken[l] > 0 && !EXISTS(lanes[l]) && best != 0 -> creating = creating | BIT(l) :: else fi
  }
  next = (creating == 0 -> LOCK_LANES : CREATE_LANES)
}

/* One lane: it waits for who is creating the same, and then does nothing. */
inline create_lane() {
  l = LOWEST(creating);
  if
  :: EXISTS(lanes[l])
  :: else ->
    /* With the rank of a head that was seen, and may be gone by now: then of any of its jobs. */
    find_head(l);
    for (j : 0 .. NJ - 1) {
      if :: best == 0 && LANE_OF(j) == l -> best = j + 1 :: else fi
    }
    lane_lock[l] = ME;
    new_lanes[l] = LANE(best, 0, 0)
  fi;
  creating = creating & ~BIT(l);
  if :: creating == 0 -> next = LOCK_LANES :: else fi
}

/* The lanes that nobody has locked, and the touches to delete: theirs, and those of nothing at all. */
inline lock_lanes() {
  for (l : 0 .. NL - 1) {
    find_head(l);
    if
    :: taken[l] > 0 && EXISTS(LANES(l)) && NOT_ANOTHERS(lane_lock[l]) ->
      lock_lane(l);
      locked = locked | BIT(l);
      deleted = deleted | BIT(l)
    :: taken[l] > 0 && !EXISTS(LANES(l)) && best == 0 -> deleted = deleted | BIT(l)
    :: else
    fi
  }
  next = READ_HEADS
}

inline read_heads() {
  for (l : 0 .. NL - 1) {
    if
    :: HAS(locked, l) ->
      find_head(l);
      if
      :: RESERVING(new_lanes[l]) ->
        new_lanes[l] = LANE((best != 0 && best < RANK(new_lanes[l]) -> best : RANK(new_lanes[l])), 0, 1)
      :: !RESERVING(new_lanes[l]) && best != 0 -> new_lanes[l] = LANE(best, ON(new_lanes[l]), 0)
      :: !RESERVING(new_lanes[l]) && best == 0 && ON(new_lanes[l]) != 0 -> new_lanes[l] = LANE(0, 0, 0)
      :: else
      fi
    :: else
    fi
  }
#ifdef MUTATION_DELETE_AFTER_READ
  next = DELETE_TOUCHES
#else
  next = COMMIT
#endif
}

active [ABSORBERS] proctype absorber() {
  byte taken[NL];
  byte creating, deleted, locked, touching;
  mtype next = IDLE;

end:
  do
  :: d_step {
      next == IDLE && touches[0] + touches[1] + touches[2] > 0 ->
      for (l : 0 .. NL - 1) {
        taken[l] = touches[l];
        taken_touches[l] = taken_touches[l] + touches[l];
        touches[l] = 0
      }
      next = CREATE_LANES;
#ifndef EACH_STATEMENT
      /* Where all lanes are there, there is nothing to create, whenever it is looked at. */
      next = LOCK_LANES;
      for (l : 0 .. NL - 1) {
        if :: taken[l] > 0 && !EXISTS(lanes[l]) -> next = CREATE_LANES :: else fi
      }
#endif
      skip
    }
  :: d_step { next == CREATE_LANES && creating == 0 -> find_missing() }
  :: d_step { next == CREATE_LANES && creating != 0 && lane_lock[LOWEST(creating)] == 0 -> create_lane() }
  :: d_step { next == LOCK_LANES -> lock_lanes() }
  :: d_step { next == READ_HEADS -> read_heads() }
#ifdef MUTATION_DELETE_AFTER_READ
  :: d_step {
      next == DELETE_TOUCHES ->
      for (l : 0 .. NL - 1) {
        if :: HAS(locked, l) -> touches[l] = 0 :: else fi
      }
      next = COMMIT
    }
#endif
  :: d_step { next == COMMIT -> end_absorb(1) }
#if CRASHES > 0
  :: d_step { next != IDLE && crashes < CRASHES -> crashes++; end_absorb(0) }
#endif
  od
}

/* enqueue_jobs, cancel_job ----------------------------------------------------------------------------------------- */

#if ENQUEUED > 0
active proctype enqueuer() {
  byte job, touching;
  do
  :: job == NJ -> break
  :: job < NJ && !HAS(ENQUEUED, job) -> job++
  :: d_step {
      job < NJ && HAS(ENQUEUED, job) ->
      job_lock[job] = ME;
      new_jobs[job] = PENDING;
      touching = BIT(LANE_OF(job))
    };
    if
    :: d_step { end_transaction(1) }
    :: d_step { end_transaction(0) }
    fi;
    job++
  od
}
#endif

#if CANCELLED > 0
active proctype canceller() {
  byte job, touching;
  do
  :: job == NJ -> break
  :: job < NJ -> job++
  :: d_step {
      job < NJ && HAS(CANCELLED, job) && STATUS(jobs[job]) != GONE && job_lock[job] == 0 -> lock_job(job)
    };
    d_step {
      if
      :: STATUS(new_jobs[job]) == PENDING ->
        new_jobs[job] = GONE;
        touching = BIT(LANE_OF(job))
      :: else
      fi
    };
    if
    :: d_step { end_transaction(1) }
    :: d_step { end_transaction(0) }
    fi;
    job++
  od
}
#endif

#ifdef RESERVE
#define LEADS(x) \
  (ON(lanes[x]) != 0 && lane_lock[x] == 0 && !RESERVING(lanes[x]) && COUNT3(NEEDS(x)) > 1 && \
  !IS_BEFORE(0, x) && !IS_BEFORE(1, x) && !IS_BEFORE(2, x))
#define IS_BEFORE(y, x) (ON(lanes[y]) == ON(lanes[x]) && RANK(lanes[y]) < RANK(lanes[x]))

active proctype tick() {
  byte touching;
  patience_is_over = 1;
end_idle:
  do
  :: d_step {
      LEADS(0) || LEADS(1) || LEADS(2) ->
      for (l : 0 .. NL - 1) {
        if
        :: LEADS(l) ->
          lane_lock[l] = ME;
          new_lanes[l] = lanes[l] & ~24
        :: else
        fi
      };
      skip
    };
    d_step { end_transaction(1) }
  od
}
#endif

#ifdef LIVENESS
#define HAS_ENDED(j) (jobs[j] == GONE && job_lock[j] == 0)
/* Time goes on: a run in which nothing happens any more is an endless one, and counts. */
active proctype clock() {
  do
  :: true -> skip
  od
}

ltl every_job_ends { <> [] (HAS_ENDED(0) && HAS_ENDED(1) && HAS_ENDED(2) && HAS_ENDED(3)) }
#else
/* When nothing can happen any more, nobody waits for a lock, and nothing is left. */
active proctype rest() {
  timeout;
  d_step {
    for (i : 0 .. NR - 1) {
      assert(key[i] == 0 && slot_lock[i] == 0) /* sessions wait for each other */
    }
    for (i : 0 .. NL - 1) {
      assert(lane_lock[i] == 0); /* sessions wait for each other */
      assert(touches[i] == 0 && RANK(lanes[i]) == 0) /* a lane is left */
    }
    for (i : 0 .. NJ - 1) {
      assert(job_lock[i] == 0); /* sessions wait for each other */
      assert(jobs[i] == GONE) /* a job waits for ever */
    }
    for (i : 0 .. NR - 1) {
      assert(held[i] == 0 && reserved[i] == 0) /* a slot is left */
    }
    skip
  }
}
#endif
