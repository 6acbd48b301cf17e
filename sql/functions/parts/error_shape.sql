create function interlock.error_shape(p_message text) returns text
language sql immutable parallel safe
as $$
  select pg_catalog.left(pg_catalog.btrim(
    pg_catalog.regexp_replace(
      pg_catalog.regexp_replace(
        pg_catalog.regexp_replace(
          pg_catalog.regexp_replace(
            pg_catalog.regexp_replace(
              pg_catalog.split_part(pg_catalog.btrim(pg_catalog.left(coalesce(p_message, ''), 2000), E' \t\r\n'), E'\n', 1),
              '"[^"]*"|`[^`]*`', '"…"', 'g'),
            '\m[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\M', '<id>', 'gi'),
          '\m(0x[0-9a-f]+|[0-9a-f]*[0-9][0-9a-f]*[a-f][0-9a-f]{6,}|[a-f]+[0-9][0-9a-f]{6,})\M', '<id>', 'gi'),
        '[0-9]+(\.[0-9]+)*', '<n>', 'g'),
      '\s+', ' ', 'g')), 200)
$$;

comment on function interlock.error_shape(text) is
  'The first line of an error with what differs from one time to the next taken out: ids and hexadecimal numbers become <id>, numbers <n>, what stands in quotation marks "…". Errors of one shape most likely have one cause.';
