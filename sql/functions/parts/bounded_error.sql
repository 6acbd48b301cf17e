create function interlock.bounded_error(p_error jsonb) returns jsonb
language sql immutable parallel safe
as $$
  select case
    when p_error is null then jsonb_build_object('message', 'failed')
    when jsonb_typeof(p_error) <> 'object' then jsonb_build_object('message', left(p_error #>> '{}', 4096))
    when length(p_error::text) <= 16384 then case when p_error ? 'message' then p_error else p_error || '{"message": "failed"}' end
    else jsonb_strip_nulls(jsonb_build_object(
      'message', left(coalesce(p_error ->> 'message', 'failed'), 4096),
      'code', left(p_error ->> 'code', 200),
      'exit_code', case when jsonb_typeof(p_error -> 'exit_code') = 'number' then p_error -> 'exit_code' end,
      'signal', left(p_error ->> 'signal', 40),
      'stack', right(p_error ->> 'stack', 8192),
      'truncated', true))
  end
$$;

comment on function interlock.bounded_error(jsonb) is
  'An error as it is kept: an object with a message, at most 16 KiB; what is longer keeps the end of its stack and says truncated.';
