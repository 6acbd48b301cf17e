create function interlock.snapshot_of_words(p_words text) returns pg_snapshot
language plpgsql immutable strict
set search_path = ''
as $$
declare
  v_parts text[] := pg_catalog.string_to_array(p_words, '-');
  v_first bigint := v_parts[1]::bigint;
  v_running text;
begin
  select pg_catalog.string_agg(s.number::text, ',' order by s.n)
  into v_running
  from (
    select u.n, v_first + pg_catalog.sum(u.distance::bigint) over (order by u.n) as number
    from pg_catalog.string_to_table(v_parts[3], '_') with ordinality as u (distance, n)
  ) as s;
  return pg_catalog.format('%s:%s:%s', v_first, v_first + v_parts[2]::bigint, coalesce(v_running, ''))::pg_catalog.pg_snapshot;
exception
  when data_exception then
    raise exception using
      errcode = 'IL005',
      message = 'cursor is none that was handed out',
      column = 'cursor',
      hint = 'Take the cursor of the last event that was read, or none at all.';
end
$$;

comment on function interlock.snapshot_of_words(text) is
  'The snapshot that snapshot_words() wrote. Raises IL005 for what it cannot have written.';
