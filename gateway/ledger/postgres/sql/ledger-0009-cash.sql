-- Cash over the counter, a teller's or an agent's: to a savings account, or out of one.
-- depends: ledger-0008-office

create function ledger.post_cash(
    p_key uuid, p_account text, p_amount_centimos bigint, p_paid_in boolean, p_business_date date
) returns ledger.answer
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    kind constant text := case when p_paid_in then 'deposit' else 'withdrawal' end;
    source constant text := case when p_paid_in then 'cash' else p_account end;
    target constant text := case when p_paid_in then p_account else 'cash' end;
    change constant bigint := case when p_paid_in then 1 else -1 end * p_amount_centimos;
    held_id bigint;
    cash_id bigint;
    available bigint;
    tax bigint := 0;
    refusal text;
    decided bigint;
begin
    select a.id, b.balance_centimos - b.held_centimos - b.floor_centimos into held_id, available
    from ledger.account as a
    join ledger.balance as b on b.account_id = a.id
    where a.code = p_account and a.kind = 'savings' and a.closed_on is null
    for no key update of b;

    tax := ledger.itf_centimos(p_amount_centimos, p_business_date);
    if held_id is null then
        refusal := 'no_such_account';
    elsif not p_paid_in and p_amount_centimos + tax > available then
        refusal := 'insufficient_funds';
    end if;
    decided := ledger.decide(
        p_key, kind, source, target, p_amount_centimos, null, refusal, p_business_date, tax, 0
    );
    if decided is null then
        return ledger.earlier_answer(p_key, kind, source, target, p_amount_centimos, null);
    end if;
    if refusal is not null then
        return ('refused', refusal, null, 0, 0, available, true)::ledger.answer;
    end if;

    select id into strict cash_id from ledger.account where code = 'cash';
    insert into ledger.transfer
    select decided, row_number() over (), legs.*
    from (
        values
            (
                case when p_paid_in then cash_id else held_id end,
                case when p_paid_in then held_id else cash_id end,
                p_amount_centimos,
                'amount'
            ),
            (held_id, ledger.itf_account(), tax, 'tax')
    ) as legs (debit, credit, centimos, purpose)
    where centimos > 0;
    update ledger.balance set balance_centimos = balance_centimos + change - tax
    where account_id = held_id;
    return ('posted', null, decided::text, tax, 0, null, true)::ledger.answer;
end
$$;

revoke execute on all functions in schema ledger from public;
grant execute on function ledger.post_cash to chaski_app;
