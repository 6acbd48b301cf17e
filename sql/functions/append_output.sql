create function interlock.append_output(p_job_id text, p_token bigint, p_chunks jsonb)
returns table (total_bytes bigint, truncated boolean)
language plpgsql
set search_path = ''
set enable_seqscan = off
as $$
declare
  c_bytes constant bigint := 10485760;
  v_now timestamptz := interlock.clock();
  v_attempt integer;
  v_heartbeat_seconds integer;
  v_total bigint;
begin
  select j.attempt, j.heartbeat_seconds
  into v_attempt, v_heartbeat_seconds
  from interlock.jobs as j
  where j.id = p_job_id
    and j.token = p_token
    and j.held_slots is not null
  for no key update;
  if not found then
    perform interlock.refuse_holder(p_job_id, p_token, interlock.holder_refusal(p_job_id));
  end if;
  if jsonb_typeof(p_chunks) is distinct from 'array' or jsonb_array_length(p_chunks) > 1000
    or exists (
      select
      from jsonb_array_elements(p_chunks) as c
      where jsonb_typeof(c) <> 'object'
        or c ->> 'stream' is null
        or c ->> 'stream' not in ('stdout', 'stderr')
        or jsonb_typeof(c -> 'lines') is distinct from 'string'
        or octet_length(c ->> 'lines') > 1048576
    ) then
    raise exception using
      errcode = 'IL005',
      message = 'chunks must be an array of at most 1000 objects of stream (stdout, stderr) and lines (at most 1 MiB)',
      column = 'chunks';
  end if;
  v_total := coalesce((
    select o.total_bytes
    from interlock.job_output as o
    where o.job_id = p_job_id
    order by o.seq desc
    limit 1
  ), 0);

  with chunks as (
    select c.n, c.chunk ->> 'stream' as stream, c.chunk ->> 'lines' as lines,
      v_total + sum(octet_length(c.chunk ->> 'lines') + 1) over (order by c.n) as upto
    from jsonb_array_elements(p_chunks) with ordinality as c (chunk, n)
  )
  insert into interlock.job_output (job_id, attempt, stream, created_at, lines, total_bytes)
  select p_job_id, v_attempt, k.stream, v_now, k.lines, k.upto
  from chunks as k
  where k.upto <= c_bytes
  order by k.n;
  total_bytes := v_total + coalesce((select sum(octet_length(c ->> 'lines') + 1) from jsonb_array_elements(p_chunks) as c), 0);
  truncated := total_bytes > c_bytes;
  -- Said once: after this mark the total is beyond the limit, and nothing more is taken.
  if truncated and v_total <= c_bytes then
    insert into interlock.job_output (job_id, attempt, stream, created_at, lines, total_bytes)
    values (p_job_id, v_attempt, 'system', v_now, 'output beyond 10 MiB is cut', greatest(total_bytes, c_bytes + 1));
  end if;
  if v_heartbeat_seconds is not null then
    perform interlock.note_sign(p_job_id, p_token);
  end if;
  return next;
end
$$;

comment on function interlock.append_output(text, bigint, jsonb) is
  'The holder adds output: chunks [{stream: stdout | stderr, lines}] of whole lines. At most 10 MiB a job is kept; the first chunk beyond is replaced by a mark, later ones are dropped. Returns the bytes so far and whether output is being cut. It is a sign of life. Locks the job''s row; then that of its signs, if it has to give some. Raises IL001, IL002, IL005.';
