create function interlock.any_reserving() returns boolean
language sql stable
as $$
  -- One probe of each of the two small indexes; a single condition fits neither.
  select exists (select from interlock.job_lanes as o where o.reserving and o.blocked_on is not null)
    or exists (select from interlock.job_lanes as o where o.reserving and o.blocked_on is null)
$$;

comment on function interlock.any_reserving() is
  'Whether any lane reserves. Nearly always none does, and then nothing is contested. Asked under the locks of what matters, it is sure for that: a lane begins to reserve a resource under its lock.';
