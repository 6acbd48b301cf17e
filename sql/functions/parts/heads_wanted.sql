create function interlock.heads_wanted(
  p_from integer, p_reserving boolean[], p_needs integer[], p_firsts integer[], p_locked boolean[], p_free integer[], p_contested boolean[], p_room integer
) returns integer[]
language plpgsql immutable
set search_path = ''
as $$
declare
  v_wanted integer[] := array_fill(null::integer, array[cardinality(p_reserving)]);
  v_free integer;
  v_is_contended boolean;
  v_is_special boolean;
  v_any_special boolean := false;
  v_need integer;
begin
  for v_lane in p_from .. cardinality(p_reserving) loop
    v_free := p_room;
    v_is_contended := false;
    v_is_special := p_reserving[v_lane];
    for k in p_firsts[v_lane] .. p_firsts[v_lane + 1] - 1 loop
      v_need := p_needs[k];
      v_free := least(v_free, p_free[v_need]);
      v_is_contended := v_is_contended or not p_locked[v_need];
      v_is_special := v_is_special or p_contested[v_need];
    end loop;
    continue when v_is_contended;
    v_any_special := v_any_special or v_is_special;
    v_wanted[v_lane] := case when v_is_special then -1 when v_any_special then -2 else greatest(v_free, 0) end;
  end loop;
  return v_wanted;
end
$$;

comment on function interlock.heads_wanted(integer, boolean[], integer[], integer[], boolean[], integer[], boolean[], integer) is
  'Of each lane of a batch from the p_from-th on: how many of its heads could start, by what is free (0: one is to be looked at); -1 where it reserves or stands beside a reservation, which is for examine_lane(); -2 where such a one comes before it; null where one of its locks is somebody else''s.';
