create function interlock.parents_ended(p_parent_ids text[]) returns void
language plpgsql
set search_path = ''
as $$
begin
  -- A few at once, so that a chain goes on without waiting for the tick; the rest are its own, or a thousand jobs of a
  -- batch would be told about one by one while their resources are locked.
  insert into interlock.job_dependency_touches (parent_id)
  select u.id
  from (
    select unnest(t.left_over) as id
    from interlock.tell_dependents(p_parent_ids[1:20], 100) as t
    union all
    select unnest(p_parent_ids[21:])
  ) as u;
end
$$;

comment on function interlock.parents_ended(text[]) is
  'Jobs that have children have completed in this transaction: tells up to 100 children at once, and leaves a touch for the others. Locks as tell_dependents(); waits for nobody.';
