create function interlock.snapshot_up_to(p_ends_at xid8, p_running xid8[]) returns pg_snapshot
language sql immutable
set search_path = ''
as $$
  select format('%s:%s:%s', coalesce(min(r.x::text::bigint), p_ends_at::text::bigint), p_ends_at, string_agg(r.x::text, ',' order by r.x))::pg_snapshot
  from unnest(p_running) as r (x)
  where r.x < p_ends_at
$$;

comment on function interlock.snapshot_up_to(xid8, xid8[]) is
  'The snapshot in which every transaction before the first argument is visible, but for those that were still running.';
