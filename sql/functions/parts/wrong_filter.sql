create function interlock.wrong_filter(p_filter jsonb)
returns table (field text, problem text, code text)
language sql stable
set search_path = ''
as $$
  select w.field, w.problem, coalesce(w.code, 'IL005')
  from (
    select 1 as place, 'filter' as field, 'a filter must be an object' as problem, null as code
    where pg_catalog.jsonb_typeof(p_filter) is distinct from 'object'
    union all
    select 2, k, pg_catalog.format('%s is not a filter of jobs', k), null
    from pg_catalog.jsonb_object_keys(case when pg_catalog.jsonb_typeof(p_filter) = 'object' then p_filter else '{}' end) as k
    where k not in ('status', 'user', 'project', 'task', 'queue', 'model', 'agent', 'text', 'error', 'older_than_seconds', 'newer_than_seconds', 'all')
    union all
    select 3, t.field, pg_catalog.format('%s must be a string of 1 to 1000 characters', t.field), null
    from (values ('user'), ('project'), ('task'), ('queue'), ('model'), ('agent'), ('text'), ('error')) as t (field)
    where p_filter ? t.field
      and (pg_catalog.jsonb_typeof(p_filter -> t.field) <> 'string' or pg_catalog.length(p_filter ->> t.field) not between 1 and 1000)
    union all
    select 3, n.field, pg_catalog.format('%s must be a number from 0 to 1000000000', n.field), null
    from (values ('older_than_seconds'), ('newer_than_seconds')) as n (field)
    where p_filter ? n.field
      and not (pg_catalog.jsonb_typeof(p_filter -> n.field) = 'number' and (p_filter ->> n.field)::numeric between 0 and 1e9)
    union all
    select 3, 'all', 'all must be true, or left out', null where p_filter ? 'all' and p_filter -> 'all' <> 'true'
    union all
    select 3, 'status', 'status must be an array of 1 to 7 of scheduled, deferred, paused, pending, assigned, running, failed', null
    where p_filter ? 'status'
      and case when pg_catalog.jsonb_typeof(p_filter -> 'status') = 'array'
        then pg_catalog.jsonb_array_length(p_filter -> 'status') not between 1 and 7
          or exists (
            select
            from pg_catalog.jsonb_array_elements(p_filter -> 'status') as s
            where s not in ('"scheduled"', '"deferred"', '"paused"', '"pending"', '"assigned"', '"running"', '"failed"')
          )
        else true end
    union all
    select 4, 'queue', 'manual locks are no jobs: release or sweep them', null where p_filter ->> 'queue' = 'locks'
    union all
    select 4, 'queue', pg_catalog.format('queue %s does not exist', p_filter ->> 'queue'), 'IL012'
    where pg_catalog.jsonb_typeof(p_filter -> 'queue') = 'string'
      and not exists (select from interlock.queues as q where q.name = p_filter ->> 'queue')
    union all
    -- An empty filter means every job there is, and is more often a slip than a wish.
    select 5, 'filter', 'a filter must name something; {"all": true} is every job', null
    where p_filter = '{}'
  ) as w
  order by w.place
  limit 1
$$;

comment on function interlock.wrong_filter(jsonb) is
  'The first thing wrong with a filter of jobs, and the SQLSTATE; no row for a good one.';
