create function interlock.obstacle_of(p_blocked_on text) returns text
language sql immutable strict parallel safe
as $$ select split_part(p_blocked_on, E'\x1f', 1) $$;

comment on function interlock.obstacle_of(text) is
  'The resource that a lane waits for that is parked there: in its line, or behind a lane of the same user (see sibling_line).';
