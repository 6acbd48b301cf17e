create function interlock.check_dependencies(p_jobs jsonb, p_known jsonb) returns integer[]
language plpgsql stable
set search_path = ''
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  v_parent record;
  v_deferred integer[] := '{}';
  v_many boolean := jsonb_array_length(p_jobs) > 1;
  v_cycle text;
  v_code text;
  v_problem text;
  v_hint text;
begin
  -- A parent's row moves from jobs to task_history in one transaction: one statement, and so one snapshot, finds it in
  -- either. A dead letter is in both, and counts as live.
  for v_parent in
    with given as materialized (
      select e.job, e.job ->> 'id' as id, e.ordinal::integer as ordinal
      from jsonb_array_elements(p_jobs) with ordinality as e (job, ordinal)
    ),
    numbered as materialized (
      select jsonb_object_agg(g.id, g.ordinal) as by_id
      from given as g
      where g.id is not null
    )
    select distinct on (g.ordinal, d.parent_id) g.ordinal, g.id as child_id, d.parent_id,
      coalesce(g.job ->> 'depends_on_outcome', 'success') as needs,
      (n.by_id ->> d.parent_id)::integer as parent_ordinal,
      j.id is not null as lives,
      h.outcome
    from given as g
    cross join numbered as n
    cross join lateral jsonb_array_elements_text(g.job -> 'depends_on') as d (parent_id)
    left join lateral (select k.id from interlock.jobs as k where k.id = d.parent_id limit 1) as j on true
    left join lateral (
      select t.outcome
      from interlock.task_history as t
      where t.job_id = d.parent_id
      order by t.finished_at desc
      limit 1
    ) as h on true
    where jsonb_typeof(g.job -> 'depends_on') = 'array'
      and not p_known ? g.ordinal::text
    order by g.ordinal, d.parent_id
  loop
    v_code := 'IL005';
    v_hint := null;
    v_problem := null;
    if v_parent.parent_ordinal = v_parent.ordinal then
      v_problem := format('job %s depends on itself', v_parent.child_id);
    elsif v_parent.parent_ordinal > v_parent.ordinal then
      v_cycle := interlock.dependency_cycle(p_jobs, v_parent.ordinal, v_parent.parent_ordinal);
      v_problem := coalesce('depends_on closes a cycle: ' || v_cycle, format('depends_on names job %s, which stands later in the batch', v_parent.parent_id));
      v_hint := case when v_cycle is null then 'Put parents before their children.' else 'None of them could ever start.' end;
    elsif p_known ? v_parent.parent_ordinal::text then
      v_code := 'IL006';
      v_problem := format('depends_on names job %s of the batch, which is not enqueued: job %s has its unique_key',
        v_parent.parent_id, p_known -> v_parent.parent_ordinal::text ->> 'id');
      v_hint := 'Depend on that one.';
    elsif v_parent.parent_ordinal is null and not v_parent.lives and v_parent.outcome is null then
      v_problem := format('depends_on names job %s, which does not exist', v_parent.parent_id);
      v_hint := 'Enqueue it first, or earlier in the same batch.';
    elsif v_parent.parent_ordinal is null and not v_parent.lives and v_parent.needs = 'success' and v_parent.outcome <> 'completed' then
      v_code := 'IL003';
      v_problem := format('depends_on names job %s, which was %s and will never complete', v_parent.parent_id, case v_parent.outcome when 'failed' then 'deleted' else v_parent.outcome end);
      v_hint := 'With depends_on_outcome any, it starts at whatever end.';
    elsif v_parent.parent_ordinal is not null or v_parent.lives then
      if v_deferred[cardinality(v_deferred)] is distinct from v_parent.ordinal then
        v_deferred := v_deferred || v_parent.ordinal;
      end if;
    end if;
    if v_problem is not null then
      raise exception using
        errcode = v_code,
        message = format('%s%s', case when v_many then format('jobs[%s]: ', v_parent.ordinal - 1) else '' end, v_problem),
        column = case when v_many then format('jobs[%s].depends_on', v_parent.ordinal - 1) else 'depends_on' end,
        hint = coalesce(v_hint, '');
    end if;
  end loop;
  return v_deferred;
end
$$;

comment on function interlock.check_dependencies(jsonb, jsonb) is
  'The places of those jobs of a batch that have to wait for others, which live or stand earlier in the batch. p_known: by their places, those that are not enqueued, as settle_keys() says. Locks nothing. Raises IL005 for a parent that does not exist, stands later, or closes a cycle (which is named); IL003 for one whose success is needed and that ended otherwise; IL006 for one of the batch that is not enqueued.';
