create function interlock.parents_ahead(p_job_id text) returns jsonb
language sql stable
set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object('job_id', p.parent_id, 'status', p.parent_status, 'needs', p.needs) order by p.place, p.parent_id), '[]')
  from (
    select x.parent_id, x.parent_status, x.needs,
      -- What nobody but a person can move on comes first, then what runs.
      case x.parent_status when 'failed' then 1 when 'paused' then 2 when 'running' then 3 when 'assigned' then 4 when 'pending' then 5 else 6 end as place
    from interlock.job_parents as x
    where x.job_id = p_job_id
      and not x.is_settled
    order by place, x.parent_id
    limit 100
  ) as p
$$;

comment on function interlock.parents_ahead(text) is
  'The jobs that a deferred one still waits for, at most 100 of them: what needs a person first, then what runs.';
