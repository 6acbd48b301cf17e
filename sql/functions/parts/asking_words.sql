create function interlock.asking_words(p_job_id text, p_token bigint, p_now timestamptz) returns jsonb
language plpgsql stable
set search_path = ''
set enable_seqscan = off
as $$
declare
  v_request record;
  v_why jsonb;
begin
  select r.id, r.status, r.request_type, r.message, r.expires_at, r.given_back, r.companion_id, r.is_away
  into v_request
  from interlock.requests as r
  where r.job_id = p_job_id
    and r.token = p_token
    and (r.status = 'open' or r.is_away)
  order by (r.status = 'open'), r.id
  limit 1;
  if not found then
    return null;
  elsif v_request.status = 'open' then
    return pg_catalog.jsonb_build_object('request_id', v_request.id, 'words', pg_catalog.format(
      ', and waits for an answer of a person to "%s" (%s %s, for another %s)',
      pg_catalog.left(v_request.message, 200) || case when pg_catalog.length(v_request.message) > 200 then '...' else '' end,
      v_request.request_type, v_request.id, interlock.duration_words(v_request.expires_at - p_now)));
  end if;
  begin
    v_why := interlock.explain_job(v_request.companion_id);
  exception
    -- Nobody stands in line for it at this moment: the tick sends another.
    when sqlstate 'IL001' then v_why := null;
  end;
  return pg_catalog.jsonb_build_object('request_id', v_request.id, 'chain', coalesce(v_why -> 'chain', '[]'), 'words', pg_catalog.format(
    ', and has to have %s again before it goes on with request %s, which %s%s',
    pg_catalog.array_to_string(v_request.given_back, ', '), v_request.id,
    case v_request.status when 'answered' then 'was answered' else 'nobody answered' end,
    coalesce(': ' || pg_catalog.rtrim(v_why ->> 'sentence', '.'), '')));
end
$$;

comment on function interlock.asking_words(text, bigint, timestamptz) is
  'How explain_job() goes on about a running job that waits for a person, or to have again what it gave back meanwhile: {words, request_id, chain}; null where it waits for nothing.';
