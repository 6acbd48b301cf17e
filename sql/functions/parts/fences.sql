create function interlock.fences(p_held text[], p_token bigint) returns jsonb
language sql immutable parallel safe
as $$ select coalesce(jsonb_object_agg(u.r, p_token), '{}') from unnest(p_held) as u (r) $$;

comment on function interlock.fences(text[], bigint) is
  'The fence of each resource that a claim was given, as JSON: {"user:alice": 17}. One number is drawn for a claim, so they are all its token.';
