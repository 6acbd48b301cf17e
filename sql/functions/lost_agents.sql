create function interlock.lost_agents()
returns table (agent_id text, reason text)
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := interlock.clock();
begin
  -- Waits for an agent's row where it has something to write. One that was passed by because it was busy, look after look, kept
  -- the mark of its first second, from before it had its lock, and was given up while its jobs ran.
  -- Seen again only after a pause, a lock may have been back meanwhile: its time begins anew. (An agent that registered and has
  -- never been seen with its lock yet is given the same grace.)
  update interlock.agent_stats as a
  set lock_missing_since = case
        when x.is_held then null
        when a.lock_missed_at > v_now - interval '2 seconds' then coalesce(a.lock_missing_since, v_now)
        else v_now
      end,
      lock_missed_at = case when not x.is_held then v_now end
  from (
    select s.id, k.is_held
    from interlock.agent_stats as s
    cross join lateral (select interlock.holds_liveness_lock(s.incarnation) as is_held) as k
    where s.state <> 'gone'
      and s.liveness = 'connection'
      and (not k.is_held or s.lock_missing_since is not null)
    order by s.id
    for no key update of s
  ) as x
  where a.id = x.id;
  return query
  select a.id, interlock.why_lost(a, v_now)
  from interlock.agent_stats as a
  where a.state <> 'gone'
    and interlock.why_lost(a, v_now) is not null
  order by a.id
  limit 100;
end
$$;

comment on function interlock.lost_agents() is
  'Looks at the liveness locks of all live agents, notes since when one is missing, and returns who is to be swept by sweep_agent(), with the reason; at most 100 a call. Locks the rows of those whose lock is missing or has come back, by id, waiting: for their claims and completions, none of which waits for it. Run by the tick of every coordinator.';
