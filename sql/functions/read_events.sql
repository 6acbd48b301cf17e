create function interlock.read_events(
  p_cursor text default null, p_limit integer default 200, p_job_id text default null, p_user text default null,
  p_queue text default null, p_event_types text[] default null
) returns table (events jsonb, next_cursor text, more boolean)
language plpgsql
set search_path = ''
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_bitmapscan = off
set jit = off
as $$
declare
  c_transactions constant integer := 200;
  c_ahead constant integer := 50;
  v_log record;
  v_parts text[];
  v_seen pg_snapshot;
  v_upto pg_snapshot;
  v_now pg_snapshot;
  v_found xid8[];
  v_new xid8[];
  v_lasts bigint[];
  v_is_cut boolean := false;
  v_last xid8;
  v_first_ahead bigint;
  v_running xid8[];
  v_at xid8 := '0';
  v_at_id bigint := 0;
  v_at_last bigint := 0;
  v_prefix text;
  v_page record;
begin
  if p_limit is null or p_limit not between 1 and 1000 then
    raise exception using errcode = 'IL005', message = 'limit must be 1 to 1000', column = 'limit';
  end if;
  if length(p_cursor) > 15000
    or p_cursor !~ '^(start|[0-9a-f]{8}(\.\d{1,18}-\d{1,18}(-\d{1,18}(_\d{1,18})*)?){1,2}(\.\d{1,18}-\d{1,18})?)$'
    or cardinality(string_to_array(p_cursor, '.')) = 3 then
    raise exception using
      errcode = 'IL005',
      message = 'cursor is none that was handed out',
      column = 'cursor',
      hint = 'Take the cursor of the last event that was read, start for all that is kept, or none for what comes from now on.';
  end if;
  if pg_is_in_recovery() then
    raise exception using
      errcode = '25006',
      message = 'events are read from the primary alone: a standby does not know which transactions are in progress';
  end if;
  perform interlock.check_isolation();
  -- Before anything is read: lines change their partition, and partitions go, while nobody reads.
  lock table only interlock.job_queue_log in access share mode;
  v_log := interlock.log_lifetime();
  v_now := pg_current_snapshot();

  if p_cursor is null then
    v_last := (
      select l.transaction_id
      from interlock.job_queue_log as l
      where l.transaction_id < pg_snapshot_xmax(v_now)
        and l.id > v_log.starts_after
        and pg_visible_in_snapshot(l.transaction_id, v_now)
      order by l.transaction_id desc
      limit 1
    );
    v_upto := interlock.snapshot_up_to(
      (coalesce(greatest(v_last, v_log.pruned_through), '0')::text::bigint + 1)::text::xid8, array(select pg_snapshot_xip(v_now)));
    events := '[]';
    next_cursor := v_log.lifetime || '.' || interlock.snapshot_words(v_upto);
    more := false;
    return next;
    return;
  elsif p_cursor = 'start' then
    v_seen := format('%s:%1$s:', coalesce(v_log.pruned_through::text::bigint, 0) + 1)::pg_snapshot;
  else
    v_parts := string_to_array(p_cursor, '.');
    v_seen := interlock.snapshot_of_words(v_parts[2]);
    if v_parts[1] <> v_log.lifetime then
      raise exception using
        errcode = 'IL015',
        message = 'the cursor is of another database, or of this one before it was restored or its server replaced',
        column = 'cursor',
        hint = 'Read on without a cursor; what happened meanwhile is in interlock.job_queue_log.';
    elsif v_log.pruned_through >= pg_snapshot_xmax(v_seen) then
      raise exception using
        errcode = 'IL015',
        message = 'events that came after the cursor are no longer kept',
        column = 'cursor',
        hint = 'Read on with start, which is the oldest event that is kept, or without a cursor.';
    end if;
    if cardinality(v_parts) = 4 then
      v_upto := interlock.snapshot_of_words(v_parts[3]);
      v_at := split_part(v_parts[4], '-', 1)::xid8;
      v_at_id := split_part(v_parts[4], '-', 2)::bigint;
    end if;
  end if;

  -- Which transactions have written since: from one to the next by the index, however many lines each has.
  with recursive one (transaction_id) as (
    (
      select l.transaction_id
      from interlock.job_queue_log as l
      where l.transaction_id >= pg_snapshot_xmax(v_seen)
        and l.transaction_id < pg_snapshot_xmax(coalesce(v_upto, v_now))
        and l.id > v_log.starts_after
      order by l.transaction_id
      limit 1
    )
    union all
    select (
      select l.transaction_id
      from interlock.job_queue_log as l
      where l.transaction_id > o.transaction_id
        and l.transaction_id < pg_snapshot_xmax(coalesce(v_upto, v_now))
        and l.id > v_log.starts_after
      order by l.transaction_id
      limit 1
    )
    from one as o
    where o.transaction_id is not null
  )
  select array_agg(s.transaction_id order by s.transaction_id)
  into v_found
  from (
    select o.transaction_id
    from one as o
    where o.transaction_id is not null
    limit case when v_upto is null then c_transactions + c_ahead else 10000 end
  ) as s;
  v_found := coalesce(v_found, '{}');
  v_is_cut := v_upto is null and cardinality(v_found) = c_transactions + c_ahead;
  v_new := array(
    select x from pg_snapshot_xip(v_seen) as x where pg_visible_in_snapshot(x, coalesce(v_upto, v_now))
    union all
    select x
    from unnest(v_found[:case when v_is_cut then c_transactions else cardinality(v_found) end]) as x
    where pg_visible_in_snapshot(x, coalesce(v_upto, v_now))
  );
  select coalesce(array_agg(u.x order by l.id), '{}'), coalesce(array_agg(l.id order by l.id), '{}')
  into v_new, v_lasts
  from unnest(v_new) as u (x)
  cross join lateral (
    select l.id
    from interlock.job_queue_log as l
    where l.transaction_id = u.x
      and l.id > v_log.starts_after
    order by l.id desc
    limit 1
  ) as l;

  if v_upto is null then
    v_running := array(select pg_snapshot_xip(v_now));
    if v_is_cut then
      -- What still went on when those behind the cut wrote may have come after them: it is theirs to be shown with.
      select min(l.id)
      into v_first_ahead
      from unnest(v_found[c_transactions + 1:]) as u (x)
      cross join lateral (
        select l.id
        from interlock.job_queue_log as l
        where l.transaction_id = u.x
          and l.id > v_log.starts_after
        order by l.id
        limit 1
      ) as l
      where pg_visible_in_snapshot(u.x, v_now);
      v_running := v_running || array(select u.x from unnest(v_new, v_lasts) as u (x, last_id) where u.last_id > v_first_ahead);
    end if;
    -- No further than the last transaction that has written: a crash forgets the numbers of those behind it that came to
    -- nothing and were not on disk yet, and gives them out again, to who writes. A cursor that had them would miss that.
    v_last := (select max(x) from unnest(v_found) as x where pg_visible_in_snapshot(x, v_now));
    v_upto := interlock.snapshot_up_to(
      case
        when v_is_cut then v_found[c_transactions + 1]
        else greatest(pg_snapshot_xmax(v_seen), (v_last::text::bigint + 1)::text::xid8)
      end,
      v_running);
    select coalesce(array_agg(u.x order by u.last_id), '{}'), coalesce(array_agg(u.last_id order by u.last_id), '{}')
    into v_new, v_lasts
    from unnest(v_new, v_lasts) as u (x, last_id)
    where pg_visible_in_snapshot(u.x, v_upto);
  else
    v_at_last := coalesce(v_lasts[array_position(v_new, v_at)], v_at_id);
  end if;

  -- Transaction by transaction, each whole: by their last lines, since who had to wait for another wrote on after it.
  v_prefix := v_log.lifetime || '.' || interlock.snapshot_words(v_seen) || '.' || interlock.snapshot_words(v_upto) || '.';
  with page as materialized (
    select t.last_id, l.*
    from unnest(v_new, v_lasts) as t (x, last_id)
    cross join lateral (
      select l.*
      from interlock.job_queue_log as l
      where l.transaction_id = t.x
        and l.id > case when t.x = v_at then v_at_id else v_log.starts_after end
      order by l.id
      limit p_limit + 1
    ) as l
    where t.last_id >= v_at_last
    order by t.last_id, l.id
    limit p_limit + 1
  ),
  shown as (
    select p.*, row_number() over w as place, v_prefix || p.transaction_id::text || '-' || p.id::text as position
    from page as p
    window w as (order by p.last_id, p.id)
  ),
  about as (
    select s.*, coalesce(j.task, h.task) as task, coalesce(j.user_name, h.user_name) as user_name, coalesce(j.queue, h.queue) as job_queue
    from shown as s
    left join interlock.jobs as j on j.id = s.job_id
    left join lateral (
      select t.task, t.user_name, t.queue
      from interlock.task_history as t
      where j.id is null
        and t.job_id = s.job_id
      limit 1
    ) as h on true
    where s.place <= p_limit
  )
  select
    (select count(*) from shown) > p_limit as is_longer,
    (select s.position from shown as s where s.place = p_limit) as last_position,
    coalesce(jsonb_agg(jsonb_build_object(
      'cursor', a.position,
      'id', a.id,
      'created_at', to_char(a.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
      'event_type', a.event_type,
      'job_id', a.job_id,
      'task', a.task,
      'user', a.user_name,
      'queue', a.job_queue,
      'from_status', a.from_status,
      'to_status', a.to_status,
      'token', a.token,
      'agent_id', a.agent_id,
      'actor', a.actor,
      'conflict_reason', a.conflict_reason,
      'resources', a.resources,
      'details', a.details
    ) order by a.place) filter (
      where (p_job_id is null or a.job_id = p_job_id)
        and (p_user is null or a.user_name = p_user)
        and (p_queue is null or a.job_queue = p_queue)
        and (p_event_types is null or a.event_type = any (p_event_types))
    ), '[]') as events
  into v_page
  from about as a;

  events := v_page.events;
  more := v_page.is_longer or v_is_cut or coalesce(cardinality(v_parts) = 4, false);
  next_cursor := case when v_page.is_longer then v_page.last_position else v_log.lifetime || '.' || interlock.snapshot_words(v_upto) end;
  return next;
end
$$;

comment on function interlock.read_events(text, integer, text, text, text, text[]) is
  'Events of job_queue_log in the order in which they were committed, each once: none is left out because its number was drawn before another''s and its transaction committed after. p_cursor: null for what comes from now on (nothing yet, and where to go on), start for the oldest that is kept, or the cursor of the last event that was read, or next_cursor. p_limit: how many lines of the log a call looks at, 1 to 1000; p_job_id, p_user, p_queue and p_event_types leave out others among them. Returns one row: events (an array of objects, each with its cursor), next_cursor (also where events is empty), more (there is more to be read at once).
A cursor is a snapshot: new is what is visible now and was not visible in it. Waiting until every earlier transaction has ended (pg_snapshot_xmin) would need no more than a number, and stand still behind any long transaction. The cursor of an event inside a look is both snapshots and the place between them. It costs what is new and what was in progress, not the length of the log, nor what came since the longest transaction began. Transactions come whole, in the order of their last lines: who waited for another''s lock wrote on after it. Who is far behind gets them 200 at a time by age, and one that overlaps what comes later with that.
What the own transaction has written is read after its commit. Locks: job_queue_log against the dropping and moving of partitions, shared; as begin_log_anew() after a dump was restored. Raises IL005, IL010, IL015 events_lost for a cursor of another database or lifetime of it, and for one that is older than what is kept; 25006 on a standby.';
