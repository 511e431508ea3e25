-- What the operators said of a number's SIM, for some hours, so that they are not asked at each order.
-- depends: db-0001-roles

create schema sim;

grant usage on schema sim to chaski_app;

create table sim.answer (
    msisdn text primary key,
    changed boolean not null,
    -- Null: it was not changed, or the operator does not say when.
    changed_at timestamptz,
    asked_at timestamptz not null,
    check (changed or changed_at is null)
);

-- The last answer, if it is not older than that.
create function sim.last_answer(p_msisdn text, p_since timestamptz)
returns table (changed boolean, changed_at timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select a.changed, a.changed_at from sim.answer as a
    where a.msisdn = p_msisdn and a.asked_at >= p_since;
end;

create function sim.remember(
    p_msisdn text, p_changed boolean, p_changed_at timestamptz, p_now timestamptz
) returns void
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    insert into sim.answer as a (msisdn, changed, changed_at, asked_at)
    values (p_msisdn, p_changed, p_changed_at, p_now)
    on conflict (msisdn) do update
    set changed = excluded.changed, changed_at = excluded.changed_at, asked_at = excluded.asked_at;
end;

-- The number goes to somebody else: for the owner's functions.
create function sim.forget(p_msisdn text) returns void
language sql volatile
begin atomic
    delete from sim.answer as a where a.msisdn = p_msisdn;
end;

-- What is older is not asked for any more.
create function sim.forget_old(p_before timestamptz, p_rows integer) returns bigint
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with gone as (
        delete from sim.answer
        where msisdn in (
            select a.msisdn from sim.answer as a where a.asked_at < p_before limit p_rows
            for update skip locked
        )
        returning 1
    )
    select count(*) from gone;
end;

revoke execute on all functions in schema sim from public;
grant execute on function sim.last_answer, sim.remember, sim.forget_old to chaski_app;
