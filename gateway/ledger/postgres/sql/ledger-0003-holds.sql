-- Money that is promised but has not moved: pending, then posted, voided or expired, once.
-- depends: ledger-0002-transfers

create table ledger.hold (
    decision_id bigint primary key references ledger.decision,
    account_id bigint not null references ledger.balance,
    amount_centimos bigint not null check (amount_centimos > 0),
    expires_at timestamptz not null, -- every hold ends: none can lock money up for ever
    xact bigint not null default audit.xact()
);

-- How a hold ended. Without a row here it is pending.
create table ledger.hold_resolution (
    hold_id bigint primary key references ledger.hold,
    state text not null check (state in ('posted', 'voided', 'expired')),
    resolved_at timestamptz not null default clock_timestamp(),
    xact bigint not null default audit.xact()
);

-- The holds that have not ended, so that the sweep need not walk over all that ever were. The truth
-- is in the two tables above; a row leaves here in the transaction that resolves its hold.
create table ledger.pending_hold (
    hold_id bigint primary key references ledger.hold,
    expires_at timestamptz not null
);

-- The sweep asks for what has run out, soonest first.
create index pending_hold_expiry on ledger.pending_hold (expires_at);

create trigger hold_append_only before update or delete or truncate on ledger.hold
for each statement execute function ledger.refuse_change();

create trigger hold_resolution_append_only
before update or delete or truncate on ledger.hold_resolution
for each statement execute function ledger.refuse_change();

-- Reserve funds: the available balance falls, the balance does not.
create function ledger.place_hold(
    p_key uuid, p_account text, p_amount_centimos bigint, p_expires_at timestamptz
) returns ledger.answer
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    held_id bigint;
    available bigint;
    refusal text;
    decided bigint;
begin
    select a.id, b.balance_centimos - b.held_centimos - b.floor_centimos into held_id, available
    from ledger.account as a
    join ledger.balance as b on b.account_id = a.id
    where a.code = p_account and a.kind = 'savings' and a.closed_on is null
    for no key update of b;

    if held_id is null then
        refusal := 'no_such_account';
    elsif p_amount_centimos > available then
        refusal := 'insufficient_funds';
    end if;
    decided := ledger.decide(
        p_key, 'hold', p_account, '', p_amount_centimos, null, refusal, null, 0, 0
    );
    if decided is null then
        return ledger.earlier_answer(p_key, 'hold', p_account, '', p_amount_centimos, null);
    end if;
    if refusal is not null then
        return ('refused', refusal, null, 0, 0, available, true)::ledger.answer;
    end if;
    insert into ledger.hold values (decided, held_id, p_amount_centimos, p_expires_at);
    insert into ledger.pending_hold values (decided, p_expires_at);
    update ledger.balance set held_centimos = held_centimos + p_amount_centimos
    where account_id = held_id;
    return ('posted', null, decided::text, 0, 0, null, true)::ledger.answer;
end
$$;

-- A placed hold with its state; no row where the key never placed one.
create function ledger.find_hold(p_key uuid)
returns table (hold_id bigint, account_id bigint, account text, amount_centimos bigint, state text)
language sql stable
begin atomic
    select h.decision_id, h.account_id, d.source, h.amount_centimos, coalesce(r.state, 'pending')
    from ledger.decision as d
    join ledger.hold as h on h.decision_id = d.id
    left join ledger.hold_resolution as r on r.hold_id = h.decision_id
    where d.key = p_key;
end;

-- Note how a pending hold ended. The caller has locked its account's balance.
create function ledger.resolve_hold(p_hold_id bigint, p_state text) returns void
language plpgsql
as $$
begin
    insert into ledger.hold_resolution (hold_id, state) values (p_hold_id, p_state);
    delete from ledger.pending_hold where hold_id = p_hold_id;
end
$$;

-- Move held funds. The hold ends with the first transfer that uses it; what is left of it is free
-- again.
create function ledger.post_hold(
    p_hold uuid, p_key uuid, p_source text, p_target text, p_amount_centimos bigint,
    p_business_date date
) returns ledger.answer
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    held record;
    refusal text;
    answer ledger.answer;
begin
    -- The hold's state is only certain under its account's lock, and locks are taken in order.
    perform 1 from ledger.account as a
    join ledger.balance as b on b.account_id = a.id
    where a.code in (p_source, p_target)
    order by a.id
    for no key update of b;

    select * into held from ledger.find_hold(p_hold);
    if held.state is distinct from 'pending' or held.account <> p_source then
        refusal := 'hold_not_pending';
    elsif p_amount_centimos > held.amount_centimos then
        refusal := 'over_hold';
    end if;
    if refusal is null then
        answer := ledger.post_transfer(
            p_key, p_source, p_target, p_amount_centimos, p_business_date, p_hold,
            held.amount_centimos
        );
        if answer.created and answer.outcome = 'posted' then
            perform ledger.resolve_hold(held.hold_id, 'posted');
        end if;
        return answer;
    end if;
    if ledger.decide(
        p_key, 'held_transfer', p_source, p_target, p_amount_centimos, p_hold, refusal,
        p_business_date, 0, 0
    ) is null then
        return ledger.earlier_answer(
            p_key, 'held_transfer', p_source, p_target, p_amount_centimos, p_hold
        );
    end if;
    return ('refused', refusal, null, 0, 0, null, true)::ledger.answer;
end
$$;

-- End a pending hold without moving money. Answers the state that it is in now; null: there is
-- none.
create function ledger.void_hold(p_key uuid) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    held record;
begin
    perform 1 from ledger.balance as b
    where b.account_id = (select f.account_id from ledger.find_hold(p_key) as f)
    for no key update;
    select * into held from ledger.find_hold(p_key);
    if held.state is distinct from 'pending' then
        return held.state;
    end if;
    perform ledger.resolve_hold(held.hold_id, 'voided');
    update ledger.balance set held_centimos = held_centimos - held.amount_centimos
    where account_id = held.account_id;
    return 'voided';
end
$$;

-- The sweep: end up to p_limit holds that ran out by p_now, and answer how many.
create function ledger.expire_holds(p_now timestamptz, p_limit integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    due bigint[];
    ended integer;
begin
    select array_agg(p.hold_id) into due from (
        select hold_id from ledger.pending_hold
        where expires_at <= p_now order by expires_at limit p_limit
    ) as p;

    perform 1 from ledger.balance as b
    where b.account_id in (select account_id from ledger.hold where decision_id = any (due))
    order by b.account_id
    for no key update;

    -- Under the locks: what was posted or voided meanwhile is no longer pending, and is left alone.
    with resolved as (
        delete from ledger.pending_hold where hold_id = any (due) returning hold_id
    ),
    noted as (
        insert into ledger.hold_resolution (hold_id, state) select hold_id, 'expired' from resolved
    ),
    freed as (
        select h.account_id, sum(h.amount_centimos) as centimos, count(*) as holds
        from resolved as r
        join ledger.hold as h on h.decision_id = r.hold_id
        group by h.account_id
    ),
    given_back as (
        update ledger.balance as b set held_centimos = b.held_centimos - f.centimos
        from freed as f
        where b.account_id = f.account_id
        returning f.holds
    )
    select coalesce(sum(holds), 0) into ended from given_back;
    return ended;
end
$$;

revoke execute on all functions in schema ledger from public;
grant execute on function ledger.place_hold, ledger.post_hold, ledger.void_hold, ledger.expire_holds
to chaski_app;
