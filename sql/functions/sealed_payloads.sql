create function interlock.sealed_payloads(p_key text, p_after text default '', p_limit integer default 1000)
returns table (job_id text, payload jsonb, is_old boolean)
language sql stable
set search_path = ''
as $$
  select s.job_id, s.payload, s.payload #>> '{$encrypted,key}' is distinct from p_key
  from (
    select j.id::text collate "C" as job_id, j.payload::jsonb as payload
    from interlock.jobs as j
    where j.id > coalesce(p_after, '')
      and j.payload ? '$encrypted'
    union all
    select r.job_id, r.payload
    from interlock.job_results as r
    where r.job_id > coalesce(p_after, '')
      and r.payload ? '$encrypted'
  ) as s
  order by s.job_id
  -- A dead letter that was requeued has its payload twice: both come, or who goes on behind the id would pass one by.
  fetch first (interlock.row_limit(p_limit)) rows with ties
$$;

comment on function interlock.sealed_payloads(text, text, integer) is
  'Payloads that are stored encrypted, of live and of ended jobs, by the job''s id from p_after (excluded) on, at least p_limit where there are so many, and whether each was written with another key than p_key. Reads the tables by their ids, and is for `interlock payloads reencrypt`, which is seldom run. Locks nothing. Raises IL005.';
