create function interlock.decide_lanes(
  p_from integer, p_ranks timestamptz[], p_wanted integer[], p_needs integer[], p_firsts integer[], p_free integer[],
  p_head_lanes integer[], p_head_locked boolean[], p_head_overdue boolean[], p_head_ranks timestamptz[], p_room integer,
  out starts integer[], out grant_jobs integer[], out grant_names integer[], out states text[], out free integer[], out upto integer, out special boolean[]
)
language plpgsql immutable
set search_path = ''
as $$
declare
  v_first integer[] := array_fill(null::integer, array[cardinality(p_wanted)]);
  v_further integer[] := '{}';
  v_order integer[] := '{}';
  v_head integer;
  v_lane integer;
  v_room integer := p_room;
  v_is_free boolean;
  v_several boolean;
begin
  starts := '{}';
  grant_jobs := '{}';
  grant_names := '{}';
  states := array_fill('left'::text, array[cardinality(p_wanted)]);
  free := p_free;
  special := array_fill(false, array[cardinality(p_wanted)]);
  for h in 1 .. cardinality(p_head_lanes) loop
    if v_first[p_head_lanes[h]] is null then
      v_first[p_head_lanes[h]] := h;
    else
      v_further := v_further || h;
    end if;
  end loop;
  for i in p_from .. cardinality(p_wanted) loop
    special[i] := coalesce(p_wanted[i] = -1, false);
  end loop;

  upto := p_from;
  <<lanes>>
  while upto <= cardinality(p_wanted) loop
    v_head := v_first[upto];
    v_several := p_firsts[upto + 1] - p_firsts[upto] > 1;
    -- It reserves, stands beside a reservation, is empty, or may reserve.
    if p_wanted[upto] < 0 or (p_wanted[upto] >= 0 and v_head is null) or (p_wanted[upto] = 0 and v_several and p_head_overdue[v_head]) then
      special[upto] := true;
      exit;
    end if;
    if p_wanted[upto] is null or (p_wanted[upto] > 0 and not p_head_locked[v_head]) then
      states[upto] := 'contended';
    elsif p_wanted[upto] > 0 then
      states[upto] := case when v_several and p_head_overdue[v_head] then 'left' else 'beaten' end;
      v_order := v_order || v_head;
    else
      states[upto] := 'blocked';
      -- Where room is short, also up to the first that is blocked and has something to pass on: who is woken by it may be
      -- more senior than the rest of the batch, and comes first.
      for k in p_firsts[upto] .. p_firsts[upto + 1] - 1 loop
        if p_room <= 4 and p_free[p_needs[k]] > 0 then
          upto := upto + 1;
          exit lanes;
        end if;
      end loop;
    end if;
    upto := upto + 1;
  end loop;
  -- Where there is more than one slot, further heads of a lane come each by its own rank: before the lanes that are later,
  -- and never before the lane itself.
  if v_further <> '{}' then
    v_order := array(
      select x.h
      from (
        select h, p_ranks[p_head_lanes[h]] as rank from unnest(v_order) as h
        union all
        select h, greatest(p_ranks[p_head_lanes[h]], p_head_ranks[h]) from unnest(v_further) as h where p_head_lanes[h] < upto
      ) as x
      order by x.rank, x.h
    );
  end if;

  foreach v_head in array v_order loop
    v_lane := p_head_lanes[v_head];
    exit when v_room < 1;
    v_is_free := true;
    for k in p_firsts[v_lane] .. p_firsts[v_lane + 1] - 1 loop
      v_is_free := v_is_free and free[p_needs[k]] > 0;
    end loop;
    continue when not v_is_free;
    states[v_lane] := 'started';
    starts := starts || v_head;
    v_room := v_room - 1;
    for k in p_firsts[v_lane] .. p_firsts[v_lane + 1] - 1 loop
      grant_jobs := grant_jobs || cardinality(starts);
      grant_names := grant_names || p_needs[k];
      free[p_needs[k]] := free[p_needs[k]] - 1;
    end loop;
  end loop;
end
$$;

comment on function interlock.decide_lanes(integer, timestamptz[], integer[], integer[], integer[], integer[], integer[], boolean[], boolean[], timestamptz[], integer) is
  'Decides the everyday lanes of a batch, from the p_from-th in order of rank to the first that needs every rule, or that must pass on what it was woken for (upto): which heads start (their places in the list of heads), the grants of each (place of the start, place of the resource), and what is free then. Of two lanes that want the same last slot the more senior has it. states says of each lane: started, blocked (parks), beaten by a more senior one of the batch (parks if that left nothing), contended (a lock or its head is somebody else''s), left (for later). special says which are for examine_lane(). By what it is given alone: no table is read.';
