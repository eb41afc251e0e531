-- What a login that may CREATE in scand's schema could plant there: for each operator, and for each function that is
-- called without its schema, one that fits some types more exactly than pg_catalog's own. Any that runs says so.

-- What plants runs none of it itself.
SELECT set_config('search_path', 'pg_catalog', true);

DO $$
DECLARE
    types CONSTANT TEXT[] := ARRAY['text', 'bigint', 'integer', 'smallint', 'timestamptz', 'jsonb', 'name',
                                   'text[]'];
    body  CONSTANT TEXT := 'LANGUAGE plpgsql AS ''BEGIN RAISE EXCEPTION ''''planted: %s''''; END''';
    one   RECORD;
BEGIN
    -- An operator for each pair of types for which there is none of exactly these.
    FOR one IN
        SELECT DISTINCT o.oprname, l.name AS l, r.name AS r, answers.name AS answer
        FROM pg_operator o
        CROSS JOIN unnest(types) AS l (name) CROSS JOIN unnest(types) AS r (name)
        CROSS JOIN LATERAL (
            SELECT CASE WHEN o.oprname IN ('=', '<>', '<', '<=', '>', '>=', '@>', '~', '~~') THEN 'boolean' ELSE 'text' END AS name
        ) AS answers
        WHERE o.oprname IN ('||', '=', '<>', '<', '<=', '>', '>=', '+', '-', '*', '/', '<<', '|', '->', '->>', '@>', '~', '~~')
          AND NOT EXISTS (
              SELECT FROM pg_operator e
              WHERE e.oprname = o.oprname AND e.oprleft = l.name::regtype AND e.oprright = r.name::regtype)
    LOOP
        EXECUTE format('CREATE FUNCTION public.%I(%s, %s) RETURNS %s ' || format(body, one.oprname || ' ' || one.l || ' ' || one.r),
                       'planted_' || one.oprname, one.l, one.r, one.answer);
        EXECUTE format('CREATE OPERATOR public.%s (FUNCTION = public.%I, LEFTARG = %s, RIGHTARG = %s)',
                       one.oprname, 'planted_' || one.oprname, one.l, one.r);
    END LOOP;

    -- A function of one, two and three arguments, and of any number, wherever pg_catalog's takes any type.
    FOR one IN
        SELECT DISTINCT p.proname, args.args, args.plain
        FROM pg_proc p
        CROSS JOIN LATERAL (
            SELECT a.name AS args, a.name AS plain FROM unnest(types) AS a (name) WHERE p.pronargs = 1 AND p.provariadic = 0
            UNION ALL
            SELECT a.name || ', ' || b.name, a.name || ', ' || b.name
            FROM unnest(types) AS a (name), unnest(types) AS b (name) WHERE p.pronargs = 2 AND p.provariadic = 0
            UNION ALL
            SELECT 'VARIADIC ' || a.name, a.name
            FROM unnest(ARRAY['text[]', 'bigint[]']) AS a (name) WHERE p.provariadic <> 0 AND p.pronargs = 1
            UNION ALL
            SELECT 'text, VARIADIC ' || a.name, 'text, ' || a.name
            FROM unnest(ARRAY['text[]', 'bigint[]']) AS a (name) WHERE p.provariadic <> 0 AND p.pronargs = 2
        ) AS args
        WHERE p.pronamespace = 'pg_catalog'::regnamespace
          AND p.proname IN (
              'unnest', 'array_position', 'array_to_string', 'format', 'to_jsonb', 'jsonb_agg', 'jsonb_build_object',
              'array_agg', 'count', 'min', 'max', 'sum', 'round', 'left', 'lower', 'octet_length', 'isfinite', 'date_trunc',
              'string_agg', 'to_char', 'concat_ws', 'quote_ident', 'obj_description', 'to_regclass', 'pg_notify',
              'has_table_privilege', 'pg_has_role', 'current_setting', 'jsonb_typeof', 'length', 'repeat', 'make_interval')
          AND NOT EXISTS (
              SELECT FROM pg_proc e
              WHERE e.proname = p.proname AND e.pronamespace = p.pronamespace
                AND e.proargtypes::oid[] = ARRAY(SELECT n::regtype::oid FROM unnest(string_to_array(args.plain, ', ')) AS n)::oid[])
    LOOP
        EXECUTE format('CREATE FUNCTION public.%I(%s) RETURNS text ' || format(body, one.proname || ' ' || one.args),
                       one.proname, one.args);
    END LOOP;
END
$$;
