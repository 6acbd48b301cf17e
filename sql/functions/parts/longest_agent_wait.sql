create function interlock.longest_agent_wait(p_queue text) returns interval
language sql stable
set search_path = ''
as $$
  select coalesce(interlock.clock() - min(l.waiting_since), interval '0')
  from unnest(array['autonomous', 'supervised', 'human_required']) as p (level)
  cross join lateral (
    select k.waiting_since
    from interlock.job_lanes as k
    where k.route = p_queue || '/' || p.level
      and k.rank is not null
      and k.blocked_on is null
    order by k.rank, k.id
    limit 20
  ) as l
$$;

comment on function interlock.longest_agent_wait(text) is
  'How long the next in line of a queue have waited that wait for nothing but an agent, as far as anybody has looked: the longest of the first twenty of each permission level, since a critical one that has just come stands before all that wait. Locks nothing.';
