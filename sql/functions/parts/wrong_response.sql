create function interlock.wrong_response(p_response jsonb)
returns table (field text, problem text)
language sql stable
as $$
  select c.field, c.problem
  from (
    select 1 as place, 'response' as field, case when jsonb_typeof(p_response) is distinct from 'object' then 'a response must be an object' end as problem
    union all
    select 2, k, format('%s is not a field of a response', k)
    from jsonb_object_keys(case when jsonb_typeof(p_response) = 'object' then p_response else '{}' end) as k
    where k not in ('response_type', 'message', 'instructions', 'generated_by', 'responder_id')
    union all
    select 3, t.field, format('%s must be a string', t.field)
    from (values ('response_type'), ('message'), ('generated_by'), ('responder_id')) as t (field)
    where jsonb_typeof(p_response -> t.field) <> 'string'
    union all
    select 4, v.field, v.problem
    from (
      select 'response_type' as field, 'response_type must be answer, instruction, approval or rejection' as problem
      where p_response ->> 'response_type' not in ('answer', 'instruction', 'approval', 'rejection')
      union all
      select 'message', 'message may have at most 16384 characters' where length(p_response ->> 'message') > 16384
      union all
      select 'generated_by', 'generated_by must be human or automated' where p_response ->> 'generated_by' not in ('human', 'automated')
      union all
      select 'responder_id', 'responder_id must be 1 to 200 characters' where length(p_response ->> 'responder_id') not between 1 and 200
      union all
      select 'instructions', 'instructions must be an array of at most 100 strings of 1 to 4096 characters'
      where p_response ? 'instructions'
        and case when jsonb_typeof(p_response -> 'instructions') = 'array'
          then jsonb_array_length(p_response -> 'instructions') > 100
            or exists (select from jsonb_array_elements(p_response -> 'instructions') as x
              where jsonb_typeof(x) <> 'string' or length(x #>> '{}') not between 1 and 4096)
          else true end
    ) as v
  ) as c
  where c.problem is not null
  order by c.place
  limit 1
$$;

comment on function interlock.wrong_response(jsonb) is
  'The first wrong field of a response, and what is wrong with it; no row for a good one. Whether its type fits the request is for answer_request() to say.';
