create function interlock.is_given_back(p_job_id text, p_token bigint, p_resource text) returns boolean
language sql stable
set search_path = ''
as $$
  select exists (
    select
    from interlock.job_messages as m
    where m.job_id = p_job_id
      and m.token = p_token
      and m.given_back is not null
      and m.resumed_at is null
      and (interlock.resource_order(p_resource), p_resource collate "C")
        >= (interlock.resource_order(m.given_back[1]), m.given_back[1])
  )
$$;

comment on function interlock.is_given_back(text, bigint, text) is
  'Whether a claim has given this resource back for the time of a question, or would have had it held it: everything from the first resource that it gave back on, in resource order. What comes to be limited there meanwhile it does not hold either, and takes with the others.';
