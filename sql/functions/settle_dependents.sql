create function interlock.settle_dependents(p_limit integer default 1000)
returns table (told integer, more boolean)
language plpgsql
set search_path = ''
set enable_seqscan = off
as $$
declare
  v_after bigint := 0;
  v_touches bigint[];
  v_parents text[];
  v_live text[];
  v_round record;
begin
  if p_limit is null or p_limit not between 1 and 10000 then
    raise exception using errcode = 'IL005', message = 'limit must be a whole number from 1 to 10000', column = 'limit';
  end if;
  perform interlock.check_isolation();
  told := 0;
  more := false;
  -- What is cancelled in one round leaves touches for the next: so a chain is walked, a generation a round.
  for v_n in 1..200 loop
    select array_agg(t.id), array_agg(distinct t.parent_id::text)
    into v_touches, v_parents
    from (
      select x.id, x.parent_id
      from interlock.job_dependency_touches as x
      where x.id > v_after
      order by x.id
      limit 100
      for update skip locked
    ) as t;
    exit when v_touches is null;
    v_after := (select max(u.id) from unnest(v_touches) as u (id));
    -- Those that live are told of their children, and then this transaction ends: whoever completes one waits for its row,
    -- with resources locked, and must not wait for the thousand children of another.
    v_live := array(
      select u.id
      from unnest(v_parents) as u (id)
      where exists (select from interlock.jobs as j where j.id = u.id and j.status <> 'failed')
    );
    if v_live <> '{}' then
      select r.left_over, r.told into v_round from interlock.tell_dependents(v_live, p_limit) as r;
      delete from interlock.job_dependency_touches as t
      where t.id = any (v_touches)
        and t.parent_id = any (v_live)
        and t.parent_id <> all (v_round.left_over);
      more := found;
      exit when more;
      v_parents := array(select u.id from unnest(v_parents) as u (id) where u.id <> all (v_live));
    end if;
    select r.left_over, r.told into v_round from interlock.tell_dependents(v_parents, p_limit - told) as r;
    told := told + v_round.told;
    delete from interlock.job_dependency_touches as t
    where t.id = any (v_touches)
      and t.parent_id = any (v_parents)
      and t.parent_id <> all (v_round.left_over);
    more := told >= p_limit or v_n = 200;
    exit when more;
  end loop;
  return next;
end
$$;

comment on function interlock.settle_dependents(integer) is
  'Empties the inbox of dependencies: tells parents that they have children, and up to p_limit children what became of their parents, down the chain. Returns how many were told, and whether to come back at once. Run by the tick; complete_jobs() does the same for a few children at once, and this is for the rest.
Two last parents that end together never miss each other. An outcome is written to job_dependencies under the child''s row lock alone, and whether any is still missing is read in a later statement, under the same lock: whoever has the lock second sees what the first wrote. Whoever does not get it leaves its touch, and this verb comes back for it. A parent that ends while its child is being enqueued is found too: the child''s transaction commits a touch beside its rows, and this verb looks afterwards whether the parent lives (then it sets has_children under its row lock, and whoever ends it from then on reads the flag from the row that it deletes) or has ended (then it tells the child). A touch goes only when that was done.
Locks, all SKIP LOCKED: touches by id, then as tell_dependents(). It waits for nobody. Raises IL005, IL010.';
