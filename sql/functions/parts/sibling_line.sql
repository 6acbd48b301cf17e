create function interlock.sibling_line(p_resource text, p_user_key text) returns text
language sql immutable strict parallel safe
as $$ select p_resource || E'\x1f' || p_user_key $$;

comment on function interlock.sibling_line(text, text) is
  'Where a user''s further lanes stand that wait for a resource: behind the one of theirs that stands in its line. If all stood in it, they would keep the places of those served long ago, and a newcomer waited for as many of them as there are. No name of a resource has the separator (0x1F) in it.';
