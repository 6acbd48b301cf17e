create function interlock.job_resources(p_job jsonb) returns text[]
language sql immutable parallel safe
as $$
  select case
    when jsonb_typeof(p_job -> 'models') is null and jsonb_typeof(p_job -> 'resources') is null then
      case when p_job ->> 'user' is null then '{}' else array['user:' || (p_job ->> 'user')] end
    else (
      select coalesce(array_agg(distinct_one.resource order by interlock.resource_order(distinct_one.resource), distinct_one.resource collate "C"), '{}')
      from (
        select 'user:' || (p_job ->> 'user') as resource
        where p_job ->> 'user' is not null
        union
        select 'model:' || m from jsonb_array_elements_text(case when jsonb_typeof(p_job -> 'models') = 'array' then p_job -> 'models' end) as m
        union
        select r from jsonb_array_elements_text(case when jsonb_typeof(p_job -> 'resources') = 'array' then p_job -> 'resources' end) as r
      ) as distinct_one
    )
  end
$$;

comment on function interlock.job_resources(jsonb) is
  'What a job needs, from user, models and resources: sorted in resource order, distinct.';
