create function interlock.resources_to_release(p_request jsonb, p_resources text[]) returns text
language plpgsql stable
set search_path = ''
as $$
declare
  v_named text[];
  v_from text;
  v_wrong text;
begin
  if p_request -> 'release_models' = 'true' then
    return (
      select r.resource
      from pg_catalog.unnest(p_resources) as r (resource)
      where r.resource like 'model:%'
      order by r.resource collate "C"
      limit 1
    );
  elsif not p_request ? 'release_resources' then
    return null;
  end if;
  v_named := array(select pg_catalog.jsonb_array_elements_text(p_request -> 'release_resources'));
  select n.resource
  into v_wrong
  from pg_catalog.unnest(v_named) as n (resource)
  where n.resource <> all (p_resources)
    or n.resource like 'user:%'
  limit 1;
  if found then
    raise exception using
      errcode = 'IL005',
      message = pg_catalog.format(case when v_wrong like 'user:%' then 'a job keeps its user while it waits: %s' else '%s is nothing that the job needs' end, v_wrong),
      column = 'release_resources';
  end if;
  select n.resource
  into v_from
  from pg_catalog.unnest(v_named) as n (resource)
  order by interlock.resource_order(n.resource), n.resource collate "C"
  limit 1;
  select r.resource
  into v_wrong
  from pg_catalog.unnest(p_resources) as r (resource)
  where r.resource <> all (v_named)
    and (interlock.resource_order(r.resource), r.resource collate "C") > (interlock.resource_order(v_from), v_from collate "C")
  order by interlock.resource_order(r.resource), r.resource collate "C"
  limit 1;
  if found then
    raise exception using
      errcode = 'IL005',
      message = pg_catalog.format('who gives back %s has to give back %s too', v_from, v_wrong),
      column = 'release_resources',
      hint = 'It would wait for an earlier resource while it holds a later one, and two such could wait for each other. Name all from there on, or none of them.';
  end if;
  return v_from;
end
$$;

comment on function interlock.resources_to_release(jsonb, text[]) is
  'The first resource, in resource order, that a request gives back; null: none. All models, or those listed: then everything that the job needs from the first one on has to be listed, and never its user (IL005). The limits, which come last in that order, go with them unasked.
Why only an end of the list: a reserving lane holds what is earlier and waits for what is later, and so does a job that gave back. Every wait is for a later resource than all that the waiter holds; a chain of them ends at a job that runs, and none can come round.';
