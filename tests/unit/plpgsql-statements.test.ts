import { describe, expect, it } from 'vitest'
import { withFailpoints } from '../support/failpoints.ts'
import { findStatementStarts } from '../support/plpgsql-statements.ts'

const firstWords = (body: string) => findStatementStarts(body).map(({ text }) => text)

describe('findStatementStarts', () => {
  it('finds what touches the database, at every depth, and the end', () => {
    const body = `
      declare
        v_n integer := 0;
      begin
        v_n := v_n + 1;
        select count(*) into v_n from t;
        if v_n > 0 then
          perform f();
        elsif exists (select from t) then
          delete from t;
        else
          v_n := 1;
        end if;
        while v_n < 3 loop
          insert into t values (1);
          exit when v_n = 2;
        end loop;
        return next;
      end`
    expect(firstWords(body)).toEqual([
      'select count(*) into v_n from t',
      'perform f()',
      'delete from t',
      'insert into t values (1)',
      'return next',
      'end',
    ])
  })

  it('is not misled by case, comments, strings and dollar quotes', () => {
    const body = `
      begin
        -- select 1; end;
        v_a := case when b then 'then; end' else $x$ loop; $x$ end;
        select case when a then 1 else 2 end /* ; */ into v_a from t;
        begin
          update t set a = 'it''s; end';
        exception
          when data_exception or check_violation then
            raise;
        end;
      end`
    expect(firstWords(body)).toEqual([
      'select case when a then 1 else 2 end /* ; */ into v_a from t',
      `update t set a = 'it''s; end'`,
      'end',
    ])
  })

  it('leaves alone what asks whether the statement before it found anything', () => {
    const body = 'begin perform f(); if not found or exists (select from t) then perform g(); end if; end'
    expect(firstWords(body)).toEqual(['perform f()', 'perform g()', 'end'])
  })
})

describe('withFailpoints', () => {
  it('numbers the calls and keeps the rest of the definition', () => {
    const definition = 'CREATE FUNCTION f() AS $function$\nbegin\n  perform g();\nend\n$function$\n'
    expect(withFailpoints({ name: 'f', definition })).toEqual({
      definition:
        "CREATE FUNCTION f() AS $function$\nbegin\n  perform interlock_test.failpoint('f:1'); perform g();\nperform interlock_test.failpoint('f:2'); end\n$function$\n",
      failpoints: 2,
    })
  })
})
