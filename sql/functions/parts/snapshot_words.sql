create function interlock.snapshot_words(p_snapshot pg_snapshot) returns text
language sql immutable strict
set search_path = ''
as $$
  select pg_snapshot_xmin(p_snapshot)::text || '-' || (pg_snapshot_xmax(p_snapshot)::text::bigint - pg_snapshot_xmin(p_snapshot)::text::bigint)::text
    || coalesce('-' || (
      select string_agg((s.number - s.former)::text, '_' order by s.number)
      from (
        select x::text::bigint as number,
          lag(x::text::bigint, 1, pg_snapshot_xmin(p_snapshot)::text::bigint) over (order by x) as former
        from pg_snapshot_xip(p_snapshot) as x
      ) as s
    ), '')
$$;

comment on function interlock.snapshot_words(pg_snapshot) is
  'A snapshot as a part of a cursor: xmin, how far xmax is from it, and what was in progress, each as the distance to the one before: with hundreds in progress two or three characters each, where whole numbers are ten.';
