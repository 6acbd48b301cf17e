create function interlock.row_limit(p_limit integer) returns integer
language plpgsql immutable
set search_path = ''
as $$
begin
  if p_limit is null or p_limit not between 1 and 1000000 then
    raise exception using errcode = 'IL005', message = 'limit must be 1 to 1000000', column = 'limit';
  end if;
  return p_limit;
end
$$;

comment on function interlock.row_limit(integer) is
  'The argument, if it can be a number of rows; else IL005 invalid_argument. Null would mean all of them, and a negative one ends in words of LIMIT''s own.';
