create function interlock.agent_load(p_cpu real, p_memory real, p_depth integer, p_held integer, p_slots integer)
returns table (score real, level text, base real, slots_open integer)
language sql stable
set search_path = ''
as $$
  select
    least(s.score, 100)::real,
    case
      when s.score < s.moderate_from then 'low'
      when s.score < s.high_from then 'moderate'
      when s.score < s.critical_from then 'high'
      else 'critical'
    end,
    least(s.machine + least(s.step * s.backlog, s.most), 100)::real,
    -- How many jobs it may have before it is above the ceiling, and one more: it gets one while it is not above. Once it has
    -- said that it is above, none until it says otherwise, also where it has finished some since.
    case
      when s.score > s.ceiling then 0
      when s.machine + s.most <= s.ceiling then p_slots
      else greatest(least(pg_catalog.floor((s.ceiling - s.machine) / s.step + 1e-6) + 1 - s.backlog, p_slots), 0)
    end::integer
  from (
    select w.*, w.machine + least(w.step * p_depth, w.most) as score
    from (
      select p.moderate_from, p.high_from, p.critical_from, p.max_utilisation as ceiling,
        (p.cpu_weight * p_cpu + p.memory_weight * p_memory) / (p.cpu_weight + p.memory_weight + p.queue_weight) as machine,
        100 * p.queue_weight / (p.cpu_weight + p.memory_weight + p.queue_weight) as most,
        100 * p.queue_weight / (p.cpu_weight + p.memory_weight + p.queue_weight) / p_slots as step,
        -- What it has in hand beside the jobs that it has from here.
        greatest(p_depth - p_held, 0) as backlog
      from interlock.agent_policy as p
    ) as w
  ) as s
$$;

comment on function interlock.agent_load(real, real, integer, integer, integer) is
  'What agent_policy makes of an agent''s CPU and memory (percent), of how many jobs it has in hand and how many of them are from here, and of its slots: the score, its level, the score without the jobs from here, and how many slots it may use before it is above max_utilisation. Locks nothing.';
