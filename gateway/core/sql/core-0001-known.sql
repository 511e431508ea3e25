-- What a remote core last said of members' accounts. Over the own ledger it stays empty: its
-- balances are in this database, and always of now.
-- depends: db-0001-roles

create schema core;

grant usage on schema core to chaski_app;

-- A member with no account at all has a row too: that is also something that the core said.
create table core.known (
    member_ref text primary key,
    as_of timestamptz not null,
    codes text[] not null,
    kinds text[] not null,
    names text[] not null,
    balances_centimos bigint[] not null,
    available_centimos bigint[] not null
) with (fillfactor = 80); -- room on the page for the next version

-- Finds what has not been seen for long, for the duty that forgets.
create index known_as_of on core.known (as_of);

-- Written only where something changed, or what is kept is as old as p_again_before. What was asked
-- earlier and answered later takes the place of nothing newer.
create function core.remember(
    p_member_ref text, p_codes text[], p_kinds text[], p_names text[],
    p_balances_centimos bigint[], p_available_centimos bigint[], p_as_of timestamptz,
    p_again_before timestamptz
) returns void
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    insert into core.known as k values (
        p_member_ref, p_as_of, p_codes, p_kinds, p_names, p_balances_centimos, p_available_centimos
    )
    on conflict (member_ref) do update set
        as_of = excluded.as_of,
        codes = excluded.codes,
        kinds = excluded.kinds,
        names = excluded.names,
        balances_centimos = excluded.balances_centimos,
        available_centimos = excluded.available_centimos
    where k.as_of < excluded.as_of
        and (
            k.as_of <= p_again_before
            or (k.codes, k.kinds, k.names, k.balances_centimos, k.available_centimos)
            <> (
                excluded.codes, excluded.kinds, excluded.names, excluded.balances_centimos,
                excluded.available_centimos
            )
        );
end;

-- A row an account, in the core's order; one row without a code where a member is known to have
-- none.
create function core.known_of(p_member_ref text)
returns table (
    code text, kind text, name text, balance_centimos bigint, available_centimos bigint,
    as_of timestamptz
)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select a.code, a.kind, a.name, a.balance, a.available, k.as_of
    from core.known as k
    left join lateral unnest(
        k.codes, k.kinds, k.names, k.balances_centimos, k.available_centimos
    ) with ordinality as a (code, kind, name, balance, available, place) on true
    where k.member_ref = p_member_ref
    order by a.place;
end;

-- Forget at most p_rows of what was last seen before then; answers how many.
create function core.forget_known(p_before timestamptz, p_rows integer) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    forgotten bigint;
begin
    delete from core.known as k
    where k.member_ref in (
        select o.member_ref from core.known as o where o.as_of < p_before
        order by o.as_of limit p_rows
    );
    get diagnostics forgotten = row_count;
    return forgotten;
end
$$;

-- All that is held of a member here, for themselves; and an erasure of it.
create function core.all_of(p_member_ref text) returns jsonb
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select jsonb_build_object('last_known', (
        select coalesce(jsonb_agg(to_jsonb(k)), '[]') from core.known as k
        where k.member_ref = p_member_ref
    ));
end;

create function core.erase(p_member_ref text) returns void
language sql volatile set search_path = pg_catalog, pg_temp
begin atomic
    delete from core.known where member_ref = p_member_ref;
end;

revoke execute on all functions in schema core from public;
grant execute on function core.remember, core.known_of, core.forget_known to chaski_app;
