/* The floors, as a model for Spin: is a lane that is awake always found by who looks from the floor on?
 *
 * WHAT IS MODELLED. A process is a session, which lives through one transaction after the other; each d_step is one SQL
 * statement at READ COMMITTED. Postgres gives a transaction its number when it first writes. A snapshot ends after the highest
 * number that has ended (xmax), and names those below it that had not (xip), but never its own. A row is there as committed,
 * and as its transaction has left it (new_...), which nobody else sees before the commit; a transaction may be rolled back.
 *   make_awake  a lane is made awake at any rank, or is given a sooner one while it is: absorb_touches, wake_resources, ...
 *   put_back    a lane that is awake is given a later rank: pop_lanes, which does not say by whom
 *   park        a lane is not awake any more
 *   raise       raise_lane_floors, in any transaction, before or after its other statements: all in one statement, looking from
 *               the floor that it sees
 * Of touches the same holds with one rank below every floor: a touch is made awake once and never changed.
 *
 * WHAT IS PROVED, over all interleavings: at each commit every lane that is awake is at the floor's rank or later, or was made
 * awake by a transaction that the floor names or that is not below it. pop_lanes and any_awake read floor and lanes in one
 * statement, hence as they are at some commit.
 */

#ifndef SESSIONS
#define SESSIONS 3
#endif
#ifndef TRANSACTIONS
#define TRANSACTIONS 2
#endif
#ifndef STATEMENTS
#define STATEMENTS 2
#endif
#ifndef LANES
#define LANES 2
#endif
#ifndef RANKS
#define RANKS 3
#endif

byte given = 0;      /* the highest number given to a transaction */
byte ended = 0;      /* the highest that has ended */
short running = 0;   /* bits: those given and not ended */

bool awake[LANES];
byte rank[LANES];
byte by[LANES];
byte lane_lock[LANES]; /* the session that has written it, from 1 */
bool new_awake[LANES];
byte new_rank[LANES];
byte new_by[LANES];

byte floor_rank = 0;
byte floor_below = 0;
short floor_but = 0;
byte floor_lock = 0;
byte new_floor_rank;
byte new_floor_below;
short new_floor_but;

#define ME (_pid + 1)
#define TAKE_A_NUMBER if :: number == 0 -> given++; number = given; running = running | (1 << number) :: else fi
#define FOUND(l) (rank[l] >= floor_rank || by[l] >= floor_below || ((floor_but >> by[l]) & 1))
#define LOCK_LANE(l) \
  if :: lane_lock[l] == 0 -> lane_lock[l] = ME; new_awake[l] = awake[l]; new_rank[l] = rank[l]; new_by[l] = by[l] :: else fi

active [SESSIONS] proctype session() {
  byte transactions = 0, statements, number, l, r, seen_rank, seen_below, least;
  short seen_but;
  bool is_found, is_kept;

  do
  :: transactions < TRANSACTIONS ->
    transactions++;
    statements = 0;
    number = 0;
    do
    :: statements < STATEMENTS ->
      statements++;
      select (l : 0 .. LANES - 1);
      if
      :: atomic { (lane_lock[l] == 0 || lane_lock[l] == ME) -> select (r : 0 .. RANKS - 1); d_step { /* make_awake */
          TAKE_A_NUMBER;
          LOCK_LANE(l);
          if
          :: new_awake[l] && r > new_rank[l] -> skip
          :: else ->
            new_rank[l] = r;
#ifdef MUTATION_AWAKE_BY_NOBODY
            if :: !new_awake[l] -> skip :: else -> new_by[l] = number fi;
#else
            new_by[l] = number;
#endif
            new_awake[l] = true
          fi; r = 0
        } }
      :: d_step { (lane_lock[l] == 0 && awake[l] && rank[l] < RANKS - 1) -> /* put_back */
          TAKE_A_NUMBER;
          LOCK_LANE(l);
          new_rank[l] = new_rank[l] + 1
        }
      :: d_step { (lane_lock[l] == 0 && awake[l]) -> /* park */
          TAKE_A_NUMBER;
          LOCK_LANE(l);
          new_awake[l] = false
        }
      :: d_step { (floor_lock == 0 || floor_lock == ME) -> /* raise */
          if
          :: floor_lock == ME -> seen_rank = new_floor_rank; seen_below = new_floor_below; seen_but = new_floor_but
          :: else -> seen_rank = floor_rank; seen_below = floor_below; seen_but = floor_but
          fi;
          least = RANKS - 1;
          l = 0;
          do
          :: l < LANES ->
            if
            :: lane_lock[l] == ME ->
              is_found = new_awake[l] && (new_rank[l] >= seen_rank || new_by[l] >= seen_below || ((seen_but >> new_by[l]) & 1));
              if :: is_found && new_rank[l] < least -> least = new_rank[l] :: else fi
            :: else ->
              is_found = awake[l] && (rank[l] >= seen_rank || by[l] >= seen_below || ((seen_but >> by[l]) & 1));
              if :: is_found && rank[l] < least -> least = rank[l] :: else fi
            fi;
            l++
          :: else -> break
          od;
          l = 0;
          new_floor_rank = least;
#ifdef MUTATION_BELOW_ALL_GIVEN
          new_floor_below = given + 1;
#else
          new_floor_below = ended + 1;
#endif
          new_floor_but = running & ((1 << (ended + 1)) - 1);
#ifdef MUTATION_NOBODY_IN_PROGRESS
          new_floor_but = 0;
#endif
          if
          :: number != 0 ->
            new_floor_but = new_floor_but & ~(1 << number);
#ifndef MUTATION_NOT_ITSELF
            new_floor_but = new_floor_but | (1 << number);
#endif
          :: else
          fi;
          TAKE_A_NUMBER;
          floor_lock = ME; seen_rank = 0; seen_below = 0; seen_but = 0; least = 0; is_found = false
        }
      :: true
      fi
    :: true -> break
    od;
    if :: is_kept = true :: is_kept = false fi;
    d_step { /* commit or rollback */
      l = 0;
      do
      :: l < LANES ->
        if
        :: lane_lock[l] == ME ->
          if :: is_kept -> awake[l] = new_awake[l]; rank[l] = new_rank[l]; by[l] = new_by[l] :: else fi;
          lane_lock[l] = 0; new_awake[l] = false; new_rank[l] = 0; new_by[l] = 0
        :: else
        fi;
        l++
      :: else -> break
      od;
      if
      :: floor_lock == ME ->
        if :: is_kept -> floor_rank = new_floor_rank; floor_below = new_floor_below; floor_but = new_floor_but :: else fi;
        floor_lock = 0; new_floor_rank = 0; new_floor_below = 0; new_floor_but = 0
      :: else
      fi;
      if
      :: number != 0 ->
        running = running & ~(1 << number);
        if :: number > ended -> ended = number :: else fi
      :: else
      fi;
      number = 0; is_kept = false; l = 0;
      do
      :: l < LANES ->
        assert(!awake[l] || FOUND(l)); /* an awake lane is below the floor */
        l++
      :: else -> break
      od;
      l = 0
    }
  :: else -> break
  od
}
