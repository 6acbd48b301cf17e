create function interlock.wrong_question(p_request jsonb)
returns table (field text, problem text)
language sql stable
as $$
  select c.field, c.problem
  from (
    select 1 as place, 'request' as field, case when jsonb_typeof(p_request) is distinct from 'object' then 'a request must be an object' end as problem
    union all
    select 2, k, format('%s is not a field of a request', k)
    from jsonb_object_keys(case when jsonb_typeof(p_request) = 'object' then p_request else '{}' end) as k
    where k not in ('request_type', 'message', 'context', 'expires_in_seconds', 'conversation_id', 'parent_message_id', 'release_models', 'release_resources')
    union all
    select 3, t.field, format('%s must be a string%s', t.field, case when t.field = 'message' then ': what is asked' else '' end)
    from (values ('message'), ('request_type'), ('conversation_id'), ('parent_message_id')) as t (field)
    where jsonb_typeof(p_request -> t.field) <> 'string'
      or (t.field = 'message' and not p_request ? 'message')
    union all
    select 4, v.field, v.problem
    from (
      select 'message' as field, 'message must be 1 to 16384 characters' as problem where length(p_request ->> 'message') not between 1 and 16384
      union all
      select 'request_type', 'request_type must be clarification, approval or question'
      where p_request ->> 'request_type' not in ('clarification', 'approval', 'question')
      union all
      select 'conversation_id', 'conversation_id must be 1 to 200 characters' where length(p_request ->> 'conversation_id') not between 1 and 200
      union all
      select 'context', 'context must be an object' where p_request ? 'context' and jsonb_typeof(p_request -> 'context') <> 'object'
      union all
      select 'context', 'context may have at most 64 KiB' where octet_length((p_request -> 'context')::text) > 65536
      union all
      select 'expires_in_seconds', 'expires_in_seconds must be a whole number from 1 to 2592000'
      where p_request ? 'expires_in_seconds'
        and not (jsonb_typeof(p_request -> 'expires_in_seconds') = 'number' and p_request ->> 'expires_in_seconds' ~ '^[0-9]{1,7}$'
          and (p_request ->> 'expires_in_seconds')::integer between 1 and 2592000)
      union all
      select 'release_models', 'release_models must be true or false' where p_request ? 'release_models' and jsonb_typeof(p_request -> 'release_models') <> 'boolean'
      union all
      select 'release_resources', 'release_resources must be an array of 1 to 32 resources'
      where p_request ? 'release_resources'
        and case when jsonb_typeof(p_request -> 'release_resources') = 'array'
          then jsonb_array_length(p_request -> 'release_resources') not between 1 and 32
            or exists (select from jsonb_array_elements(p_request -> 'release_resources') as x where jsonb_typeof(x) <> 'string')
          else true end
      union all
      select 'release_resources', 'a request has release_models or release_resources, not both'
      where p_request ? 'release_resources' and p_request -> 'release_models' = 'true'
    ) as v
  ) as c
  where c.problem is not null
  order by c.place
  limit 1
$$;

comment on function interlock.wrong_question(jsonb) is
  'The first wrong field of a request to be asked, and what is wrong with it; no row for a good one.';
