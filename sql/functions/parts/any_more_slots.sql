create function interlock.any_more_slots() returns boolean
language sql stable
as $$
  select exists (select from interlock.job_queue_state as q where q.slot > 1)
$$;

comment on function interlock.any_more_slots() is
  'Whether any resource has a slot beyond its first: one probe of a small index, empty where no capacity is above 1.';
