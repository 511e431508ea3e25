-- Moving money between savings accounts.
-- depends: ledger-0001-books

-- What was decided on a key before, as an answer; nothing where it never was.
create function ledger.earlier_answer(
    p_key uuid, p_kind text, p_source text, p_target text, p_amount_centimos bigint, p_concerns uuid
) returns ledger.answer
language plpgsql stable
as $$
declare
    d ledger.decision;
begin
    select * into d from ledger.decision where key = p_key;
    if not found then
        return null;
    end if;
    if (d.kind, d.source, d.target, d.amount_centimos)
        <> (p_kind, p_source, p_target, p_amount_centimos)
        or d.concerns is distinct from p_concerns
    then
        return ('key_reused', null, null, 0, 0, null, false)::ledger.answer;
    end if;
    if d.refusal is not null then
        return ('refused', d.refusal, null, 0, 0, null, false)::ledger.answer;
    end if;
    return (
        'posted', null, d.id::text, d.tax_centimos, d.target_tax_centimos, null, false
    )::ledger.answer;
end
$$;

-- ITF on one debit or credit of a savings account, in céntimos.
create function ledger.itf_centimos(p_amount_centimos bigint, p_business_date date) returns bigint
language plpgsql stable
as $$
declare
    rate ledger.itf_rate;
begin
    select * into rate from ledger.itf_rate
    where effective_on <= p_business_date order by effective_on desc limit 1;
    if not found then
        return 0;
    end if;
    return p_amount_centimos * rate.rate_ppm / (1000000 * rate.step_centimos) * rate.step_centimos;
end
$$;

-- A row for the key, or null where the key was decided on before: then nothing may be written.
create function ledger.decide(
    p_key uuid, p_kind text, p_source text, p_target text, p_amount_centimos bigint,
    p_concerns uuid, p_refusal text, p_business_date date,
    p_tax_centimos bigint, p_target_tax_centimos bigint
) returns bigint
language plpgsql
as $$
declare
    decided bigint;
begin
    insert into ledger.decision (
        key, kind, source, target, amount_centimos, concerns, refusal, business_date,
        tax_centimos, target_tax_centimos
    ) values (
        p_key, p_kind, p_source, p_target, p_amount_centimos, p_concerns, p_refusal,
        p_business_date, p_tax_centimos, p_target_tax_centimos
    )
    on conflict (key) do nothing
    returning id into decided;
    return decided;
end
$$;

-- Lock, check everything, decide, and only then write: a refusal is an answer and leaves nothing
-- half done. `p_hold` is the key of the hold that it uses up, `p_released_centimos` the money that
-- this gives free.
create function ledger.post_transfer(
    p_key uuid, p_source text, p_target text, p_amount_centimos bigint, p_business_date date,
    p_hold uuid default null, p_released_centimos bigint default 0
) returns ledger.answer
language plpgsql
as $$
declare
    kind constant text := case when p_hold is null then 'transfer' else 'held_transfer' end;
    source_id bigint;
    target_id bigint;
    one_member boolean;
    available bigint;
    tax bigint := 0;
    refusal text;
    decided bigint;
begin
    select s.id, t.id, s.member_ref = t.member_ref into source_id, target_id, one_member
    from ledger.account as s
    cross join ledger.account as t
    where s.code = p_source and s.kind = 'savings' and s.closed_on is null
        and t.code = p_target and t.kind = 'savings' and t.closed_on is null;

    if p_source = p_target then
        refusal := 'same_account';
    elsif source_id is null then
        refusal := 'no_such_account';
    else
        if target_id < source_id then -- locks are taken in order; a later target is locked below
            perform 1 from ledger.balance as b where b.account_id = target_id for no key update;
        end if;
        select b.balance_centimos - b.held_centimos - b.floor_centimos + p_released_centimos
        into available
        from ledger.balance as b
        where b.account_id = source_id
        for no key update;
        if not one_member then -- one's own accounts are exempt
            tax := ledger.itf_centimos(p_amount_centimos, p_business_date);
        end if;
        if p_amount_centimos + tax > available then
            refusal := 'insufficient_funds';
        end if;
    end if;

    -- Of two calls with one key, the second waits for the rows that the first has locked, or for this
    -- row: then it finds what the first decided. Two different orders with one key may wait for each
    -- other here, which PostgreSQL ends; asked again, the second is told that the key is taken.
    insert into ledger.decision (
        key, kind, source, target, amount_centimos, concerns, refusal, business_date,
        tax_centimos, target_tax_centimos
    ) values (
        p_key, kind, p_source, p_target, p_amount_centimos, p_hold, refusal, p_business_date,
        tax, tax
    )
    on conflict (key) do nothing
    returning id into decided;
    if decided is null then
        return ledger.earlier_answer(p_key, kind, p_source, p_target, p_amount_centimos, p_hold);
    end if;
    if refusal is not null then
        return ('refused', refusal, null, 0, 0, available, true)::ledger.answer;
    end if;

    insert into ledger.transfer values
        (decided, 1, source_id, target_id, p_amount_centimos, 'amount');
    if tax > 0 then
        insert into ledger.transfer values
            (decided, 2, source_id, ledger.itf_account(), tax, 'tax'),
            (decided, 3, target_id, ledger.itf_account(), tax, 'tax');
    end if;
    update ledger.balance set
        balance_centimos = balance_centimos - tax
            + case account_id when source_id then -p_amount_centimos else p_amount_centimos end,
        held_centimos = held_centimos
            - case account_id when source_id then p_released_centimos else 0 end
    where account_id in (source_id, target_id);
    return ('posted', null, decided::text, tax, tax, null, true)::ledger.answer;
end
$$;
