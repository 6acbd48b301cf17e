create function interlock.read_heads(
  p_lanes uuid[], p_places tid[], p_is_fair boolean[], p_patience double precision[], p_wanted integer[], p_now timestamptz,
  out head_lanes integer[], out head_places tid[], out locked boolean[], out overdue boolean[], out ranks timestamptz[]
)
language plpgsql
set search_path = ''
as $$
declare
  v_mismatch boolean;
begin
  select
    coalesce(array_agg(u.i), '{}'),
    coalesce(array_agg(coalesce(k.place, s.place)), '{}'),
    coalesce(array_agg(k.place is not null), '{}'),
    coalesce(array_agg(extract(epoch from p_now - coalesce(k.queued_at, s.queued_at)) >= u.patience), '{}'),
    coalesce(array_agg(
      case when u.is_fair and k.user_name is not null then greatest(k.seniority, p_now + (k.seniority - k.queued_at)) else k.seniority end
    ), '{}'),
    coalesce(bool_or(coalesce(k.resources, s.resources) <> l.resources), false)
  into head_lanes, head_places, locked, overdue, ranks, v_mismatch
  from unnest(p_lanes, p_places, p_is_fair, p_patience, p_wanted) with ordinality as u (lane, place, is_fair, patience, wanted, i)
  join interlock.job_lanes as l on l.ctid = u.place
  -- Only the heads that may start are locked: as many as the scarcest of the lane's resources has slots.
  left join lateral (
    select j.ctid as place, j.seniority, j.queued_at, j.user_name, j.resources
    from interlock.jobs as j
    where j.lane_id = u.lane and j.status = 'pending'
    order by j.seniority, j.id
    limit u.wanted
    for no key update of j skip locked
  ) as k on true
  -- Where none is to be locked, or somebody else has them all: is there one at all?
  left join lateral (
    select j.ctid as place, j.queued_at, j.resources
    from interlock.jobs as j
    where j.lane_id = u.lane and j.status = 'pending'
      and k.place is null
    order by j.seniority, j.id
    limit 1
  ) as s on true
  where u.wanted >= 0
    and (k.place is not null or s.place is not null);
  if v_mismatch then
    raise exception using errcode = 'XX000', message = 'interlock: a job and its lane name different resources', hint = 'Look at interlock.violations.';
  end if;
end
$$;

comment on function interlock.read_heads(uuid[], tid[], boolean[], double precision[], integer[], timestamptz) is
  'The heads of these lanes (locked, by place): of each as many as wanted says (0: one, to look at; null: none). Returns, a head an element, the place of its lane in p_lanes, its place in jobs, whether it was locked, whether it has waited beyond the patience, and its rank beside further heads of other lanes; the heads of one lane in order. A lane without an element has none; one whose element is not locked, although some were wanted, has one that is somebody else''s. Locks heads, SKIP LOCKED.';
