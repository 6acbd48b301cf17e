create function interlock.count_events(p_limit integer default 50000) returns bigint
language plpgsql
set search_path = ''
set enable_seqscan = off
set jit = off
as $$
declare
  v_now timestamptz := interlock.clock();
  v_cursor interlock.event_cursor;
  v_to bigint;
  v_from xid8;
  v_last bigint;
begin
  p_limit := interlock.row_limit(p_limit);
  -- Restored into another server, the numbers of transactions begin anew.
  perform interlock.log_lifetime();
  -- In this order: what had ended by then has drawn no number above the one that is read after.
  v_from := pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot());
  select case when s.is_called then s.last_value else s.last_value - 1 end into v_last from interlock.job_queue_log_id_seq as s;
  -- A queue at rest is not written to twice a second to say that nothing has happened.
  if exists (select from interlock.event_cursor as c where c.counted_to = v_last and c.marked_at > v_now - interval '15 seconds') then
    return 0;
  end if;
  -- Also gives this transaction a number, without which it would not wait for itself: harmless, for the mark is older.
  select c.* into v_cursor from interlock.event_cursor as c for no key update skip locked;
  if not found then
    return 0;
  end if;
  -- Numbers of lines are drawn before the commit, so the highest one that is seen says nothing of those below it. But who
  -- drew one had a transaction number before (each verb writes or locks a row before it logs). So when all transactions
  -- that had one at the mark have ended, each line up to the mark is there, or never will be: counted once, none missed.
  if v_cursor.mark_xid > pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot()) then
    return 0;
  end if;
  v_to := least(v_cursor.mark_id, v_cursor.counted_to + p_limit);

  if v_to > v_cursor.counted_to then
    with events as materialized (
      select e.event_type::text as event_type, e.job_id, e.created_at, e.queue, e.conflict_reason
      from interlock.job_queue_log as e
      where e.transaction_id >= v_cursor.counted_from
        and e.id > v_cursor.counted_to
        and e.id <= v_to
        and e.event_type = any ('{enqueued,completed,failed,cancelled,expired,deleted,retried,lost,agent_gone}')
    ),
    range as materialized (
      select pg_catalog.min(e.created_at) as first, pg_catalog.max(e.created_at) as last
      from events as e
      where e.event_type = any ('{completed,failed,cancelled,expired,deleted}')
    ),
    -- The end of a job is written into log and history by one statement, with one time: a range of the history is read,
    -- not a row for each line looked up.
    ended as materialized (
      select h.queue, h.outcome,
        case
          when h.outcome in ('completed', 'failed') then greatest(0, extract(epoch from h.finished_at - h.started_at)::double precision)
        end as duration,
        -- What waited twice has run between.
        case when h.attempts = 1 then greatest(0, extract(epoch from h.assigned_at - h.queued_at)::double precision) end as wait
      from events as e
      join interlock.task_history as h on h.job_id = e.job_id and h.finished_at = e.created_at and h.outcome = e.event_type
      where h.finished_at >= (select r.first from range as r)
        and h.finished_at <= (select r.last from range as r)
    ),
    figures as (
      select 'enqueued' as measure, e.queue, '' as outcome, 0 as bucket, pg_catalog.count(*) as total, 0 as seconds
      from events as e
      where e.event_type = 'enqueued'
        and e.queue is not null
      group by e.queue
      union all
      select 'ended', e.queue, e.outcome, 0, pg_catalog.count(*), 0
      from ended as e
      group by e.queue, e.outcome
      union all
      select 'duration', e.queue, e.outcome, interlock.histogram_bucket(e.duration), pg_catalog.count(*), pg_catalog.sum(e.duration)
      from ended as e
      where e.duration is not null
      group by e.queue, e.outcome, 4
      union all
      select 'wait', e.queue, '', interlock.histogram_bucket(e.wait), pg_catalog.count(*), pg_catalog.sum(e.wait)
      from ended as e
      where e.wait is not null
      group by e.queue, 4
      union all
      select e.event_type, '', '', 0, pg_catalog.count(*), 0
      from events as e
      where e.event_type in ('retried', 'lost')
      group by e.event_type
      union all
      select 'agent_lost', '', r.reason, 0, pg_catalog.count(*), 0
      from events as e
      cross join lateral (
        select case e.conflict_reason
          when 'its lease ended' then 'lease'
          when 'its connection was lost' then 'connection'
          when 'superseded by a new incarnation' then 'superseded'
        end as reason
      ) as r
      where e.event_type = 'agent_gone'
        and r.reason is not null
      group by r.reason
    )
    insert into interlock.event_totals as t (measure, queue, outcome, bucket, total, seconds)
    select f.measure, f.queue, f.outcome, f.bucket, f.total, f.seconds
    from figures as f
    on conflict (measure, queue, outcome, bucket) do update
    set total = t.total + excluded.total,
        seconds = t.seconds + excluded.seconds;
  end if;

  if v_to < v_cursor.mark_id then
    update interlock.event_cursor as c set counted_to = v_to;
  else
    -- The highest number was read before the transactions that may have drawn it: at the start of this call.
    update interlock.event_cursor as c
    set counted_to = c.mark_id,
        counted_from = c.mark_from,
        counted_at = c.marked_at,
        mark_id = greatest(v_last, c.mark_id),
        mark_from = v_from,
        mark_xid = pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot()),
        marked_at = v_now;
  end if;
  return least(v_cursor.mark_id, v_cursor.counted_to + p_limit) - v_cursor.counted_to;
end
$$;

comment on function interlock.count_events(integer) is
  'Adds what the log says to event_totals, each line once: those up to the mark that the former call set, at most p_limit, and sets the next mark. So the figures are a call or two behind, and stand still while a transaction that writes is open for long, to catch up when it has ended. Returns how many numbers it went through; as many as p_limit: call again. Costs the verbs nothing.
Locks the row of event_cursor, SKIP LOCKED: of several callers one counts, the others return 0. Raises IL005. Run by the tick.';
