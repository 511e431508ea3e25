-- What the application may ask about orders.
-- depends: instructions-0002-life

-- The newest order of an origin, with its state. Whoever hears that it is under way is owed its
-- end.
create function instructions.recent(
    p_channel text, p_provider_account text, p_session_id text, p_msisdn text, p_now timestamptz
) returns setof instructions.result
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    i instructions.instruction;
begin
    select * into i from instructions.instruction as k
    where k.session_id = p_session_id and k.channel = p_channel
        and k.provider_account = p_provider_account and k.msisdn = p_msisdn
    order by k.accepted_at desc limit 1;
    if found then
        i := instructions.tell_pending(i, p_now);
        return next instructions.answer(i, not exists (
            select from instructions.instruction as n
            where n.member_ref = i.member_ref and n.accepted_at > i.accepted_at
        ));
    end if;
end
$$;

-- The newest order of a member since then, with its state.
create function instructions.newest(p_member_ref text, p_since timestamptz, p_now timestamptz)
returns setof instructions.result
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    i instructions.instruction;
begin
    select * into i from instructions.instruction as k
    where k.member_ref = p_member_ref and k.accepted_at >= p_since
    order by k.accepted_at desc limit 1;
    if found then
        i := instructions.tell_pending(i, p_now);
        return next instructions.answer(i, true);
    end if;
end
$$;

-- What became of a member's key. Nothing where no order ever came under it.
create function instructions.became(p_key uuid, p_member_ref text, p_now timestamptz)
returns setof instructions.result
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    i instructions.instruction;
begin
    select * into i from instructions.instruction as k
    where k.key = p_key and k.member_ref = p_member_ref;
    if found then
        i := instructions.tell_pending(i, p_now);
        return next instructions.answer(i, false);
    end if;
end
$$;

-- The last members to whom a member sent money, newest first, each with the account that got it.
-- Looks at the last 200 orders: nobody remembers further back.
create function instructions.recent_payees(p_member_ref text, p_limit integer)
returns table (payee_ref text, account text, last_at timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    with latest as (
        select counterparty_ref, target, accepted_at, state
        from instructions.instruction
        where member_ref = p_member_ref
        order by accepted_at desc limit 200
    )
    select counterparty_ref, (array_agg(target order by accepted_at desc))[1], max(accepted_at)
    from latest
    where state = 'posted' and counterparty_ref <> p_member_ref
    group by counterparty_ref
    order by max(accepted_at) desc
    limit p_limit;
end;

-- Whether a member has given any order since then.
create function instructions.ordered_since(p_member_ref text, p_at timestamptz) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select exists (
        select from instructions.instruction
        where member_ref = p_member_ref and accepted_at >= p_at
    );
end;

revoke execute on all functions in schema instructions from public;
grant execute on function instructions.recent, instructions.newest, instructions.became, instructions.recent_payees,
    instructions.ordered_since
to chaski_app;
