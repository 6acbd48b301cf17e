create function interlock.away_requests(p_limit integer default 100) returns text[]
language sql stable
set search_path = ''
set enable_seqscan = off
as $$
  select coalesce(pg_catalog.array_agg(a.id), '{}')
  from (
    select m.id
    from interlock.job_messages as m
    left join interlock.jobs as c on c.id = m.companion_id and c.status <> 'failed'
    where m.given_back is not null
      and m.resumed_at is null
      and m.state <> 'open'
      and (c.id is null
        or c.held is not null
        or not exists (select from interlock.jobs as j where j.id = m.job_id and j.token = m.token and j.held is not null))
    order by m.id
    limit interlock.row_limit(p_limit)
  ) as a
$$;

comment on function interlock.away_requests(integer) is
  'The requests for which resume_request() has something to do: their companion was granted what the job gave back, or is gone, or the job is. Locks nothing. Run by the tick.';
