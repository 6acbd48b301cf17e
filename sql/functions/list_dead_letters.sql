create function interlock.list_dead_letters(p_filter jsonb default '{"all": true}', p_limit integer default 100)
returns table (error text, jobs bigint, first_at timestamptz, last_at timestamptz, tasks text[], queues text[], users text[], example jsonb, is_cut boolean)
language plpgsql stable
set search_path = ''
set enable_seqscan = off
as $$
declare
  -- Beyond this the latest stand for all: a shape costs some 20 us.
  c_most constant integer := 10000;
  v_wrong record;
begin
  if p_limit is null or p_limit not between 1 and 1000 then
    raise exception using errcode = 'IL005', message = 'limit must be 1 to 1000', column = 'limit';
  end if;
  select w.field, w.problem, w.code into v_wrong from interlock.wrong_filter(p_filter) as w;
  if found then
    raise exception using errcode = v_wrong.code, message = v_wrong.problem, column = v_wrong.field;
  elsif p_filter ? 'status' then
    raise exception using errcode = 'IL005', message = 'a dead letter is failed: status is no filter here', column = 'status';
  end if;
  return query
  with dead as materialized (
    select j.id, j.task::text as task, j.queue, j.user_name::text as user_name, j.finished_at, interlock.error_shape(j.error ->> 'message') as shape
    from interlock.jobs as j
    where j.status = 'failed'
      and interlock.matches_filter(j, p_filter, interlock.clock())
    order by j.finished_at desc
    limit c_most
  ),
  grouped as (
    select d.shape, count(*) as jobs, min(d.finished_at) as first_at, max(d.finished_at) as last_at,
      pg_catalog.array_agg(distinct d.task) as tasks, pg_catalog.array_agg(distinct d.queue) as queues,
      pg_catalog.array_agg(distinct d.user_name) filter (where d.user_name is not null) as users,
      (pg_catalog.array_agg(d.id::text order by d.finished_at desc, d.id))[1] as example_id
    from dead as d
    group by d.shape
    order by count(*) desc, max(d.finished_at) desc
    limit p_limit
  )
  select g.shape, g.jobs, g.first_at, g.last_at, g.tasks, g.queues, coalesce(g.users[1:20], '{}'),
    pg_catalog.jsonb_build_object('job_id', j.id, 'task', j.task, 'user', j.user_name, 'project', j.project, 'queue', j.queue,
      'attempts', j.attempt, 'max_attempts', j.max_attempts, 'failed_at', j.finished_at, 'agent_id', j.agent_id, 'error', j.error, 'payload', j.payload),
    (select count(*) = c_most from dead)
  from grouped as g
  join interlock.jobs as j on j.id = g.example_id
  order by g.jobs desc, g.last_at desc;
end
$$;

comment on function interlock.list_dead_letters(jsonb, integer) is
  'The dead letters that a filter names (see change_jobs()), grouped by the shape of their error (error_shape()), the most frequent first: how many, since when, until when, which tasks, queues and users (20 at most), and the latest one as an example, with its whole error and stack, its attempts and its input. error is what change_jobs() takes as its filter of that name. is_cut: there are more than 10,000, and only the latest of them were counted. Reads only. Raises IL005, IL012.';
