-- Undoing a posted order: all of it, once, linked to it, by mirrored transfers.
-- depends: ledger-0004-loans

create function ledger.reverse(p_key uuid, p_original uuid, p_business_date date)
returns ledger.answer
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    original ledger.decision;
    refusal text;
    decided bigint;
begin
    select d.* into original from ledger.decision as d
    where d.key = p_original and d.refusal is null
        and d.kind in (
            'transfer', 'held_transfer', 'part', 'payoff', 'deposit', 'withdrawal'
        );
    if not found then
        refusal := 'not_posted';
    else
        perform 1 from ledger.balance as b
        where b.account_id in (
            select e.account_id from ledger.entry as e where e.decision_id = original.id
        )
        order by b.account_id
        for no key update;
        refusal := ledger.why_not_reversible(original);
    end if;
    decided := ledger.decide(
        p_key, 'reversal', coalesce(original.source, ''), coalesce(original.target, ''),
        coalesce(original.amount_centimos, 0), p_original, refusal, p_business_date, 0, 0
    );
    if decided is null then
        return ledger.earlier_reversal(p_key, p_original);
    end if;
    if refusal is not null then
        return ('refused', refusal, null, 0, 0, null, true)::ledger.answer;
    end if;

    insert into ledger.transfer
    select decided, leg, credit_account_id, debit_account_id, amount_centimos, purpose
    from ledger.transfer where decision_id = original.id;
    insert into ledger.allocation
    select decided, loan_id, number, component, -amount_centimos, p_business_date
    from ledger.allocation
    where decision_id = original.id
        and loan_id = (select id from ledger.account where code = original.target);
    update ledger.balance as b set balance_centimos = b.balance_centimos + e.centimos
    from (
        select account_id, sum(amount_centimos) as centimos
        from ledger.entry where decision_id = decided group by account_id
    ) as e
    where b.account_id = e.account_id;
    return ('posted', null, decided::text, 0, 0, null, true)::ledger.answer;
end
$$;

-- Null where all of it can be undone now. The caller has locked the balances.
create function ledger.why_not_reversible(p_original ledger.decision) returns text
language plpgsql
as $$
begin
    if exists (
        select from ledger.decision
        where concerns = p_original.key and kind = 'reversal' and refusal is null
    ) then
        return 'already_reversed';
    end if;
    if exists (
        select from ledger.balance as b
        join (
            select account_id, sum(amount_centimos) as centimos
            from ledger.entry where decision_id = p_original.id group by account_id
        ) as e using (account_id)
        where b.balance_centimos - b.held_centimos - e.centimos < b.floor_centimos
    ) then
        return 'insufficient_funds';
    end if;
    return null;
end
$$;

-- A reversal's content is the order that it undoes: an earlier try may not even have found that
-- one.
create function ledger.earlier_reversal(p_key uuid, p_original uuid) returns ledger.answer
language plpgsql stable
as $$
declare
    d ledger.decision;
begin
    select * into d from ledger.decision where key = p_key;
    return ledger.earlier_answer(
        p_key, 'reversal', d.source, d.target, d.amount_centimos, p_original
    );
end
$$;

revoke execute on all functions in schema ledger from public;
grant execute on function ledger.reverse to chaski_app;
