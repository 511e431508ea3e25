-- The least that a transfer can be: one function that locks two balances, looks whether there is
-- enough, and writes the rows that the ledger writes: a decision under its key, a transfer, two
-- balances. With the ledger's own indexes and checks on them, and nothing else.

drop schema if exists bench cascade;
create schema bench;

create table bench.balance (like ledger.balance including all);
create table bench.decision (like ledger.decision including all);
create table bench.transfer (like ledger.transfer including all);
create table bench.instruction (like instructions.instruction including all);
create table bench.usage (like instructions.usage including all);
create table bench.outbox (like notices.outbox including all);
alter table bench.balance set (fillfactor = 70);
alter table bench.usage set (fillfactor = 80);

insert into bench.balance (account_id, balance_centimos, floor_centimos, ceiling_centimos)
select n, 100000000, 0, 1000000000000000 from generate_series(1, :accounts) as n;

create function bench.transfer(
    p_key uuid, p_source bigint, p_target bigint, p_centimos bigint, p_date date
) returns text
language plpgsql
as $$
declare
    side record;
    available bigint;
    decided bigint;
begin
    for side in
        select b.account_id, b.balance_centimos from bench.balance as b
        where b.account_id in (p_source, p_target)
        order by b.account_id for no key update
    loop
        if side.account_id = p_source then
            available := side.balance_centimos;
        end if;
    end loop;
    insert into bench.decision (key, kind, source, target, amount_centimos, business_date, refusal)
    values (
        p_key, 'transfer', p_source, p_target, p_centimos, p_date,
        case when p_centimos > available then 'insufficient_funds' end
    )
    on conflict (key) do nothing
    returning id into decided;
    if decided is null or p_centimos > available then
        return null;
    end if;
    insert into bench.transfer values (decided, 1, p_source, p_target, p_centimos, 'amount');
    update bench.balance set balance_centimos = balance_centimos - p_centimos
    where account_id = p_source;
    update bench.balance set balance_centimos = balance_centimos + p_centimos
    where account_id = p_target;
    return decided::text;
end
$$;

-- The least that a whole order can be: the same, and the rows that an order writes around it: itself,
-- what it uses of the limits, and a fact for each side. Nothing is judged and nothing is looked up.
create function bench.give(
    p_key uuid, p_source bigint, p_target bigint, p_centimos bigint, p_date date, p_session text,
    p_now timestamptz
) returns text
language plpgsql
as $$
declare
    reference text := bench.transfer(p_key, p_source, p_target, p_centimos, p_date);
begin
    insert into bench.instruction (
        key, operation, member_ref, counterparty_ref, source, target, amount_centimos,
        business_date, channel, provider_account, session_id, msisdn, state, reference,
        to_new_payee, accepted_at, settled_at, ended_xact
    ) values (
        p_key, 'transfers.send', 'b-' || p_source, 'b-' || p_target, 's-' || p_source,
        's-' || p_target, p_centimos, p_date, 'africastalking', 'demo', p_session, '+51980000001',
        'posted', reference, true, p_now, p_now, audit.xact()
    );
    insert into bench.usage as u
    values ('b-' || p_source, 'transfers.send', p_date, p_centimos, p_centimos)
    on conflict (member_ref, operation, business_date) do update set
        used_centimos = u.used_centimos + excluded.used_centimos,
        new_payee_centimos = u.new_payee_centimos + excluded.new_payee_centimos;
    insert into bench.outbox (fact, member_ref, detail) values
        ('transfer_sent', 'b-' || p_source, jsonb_build_object(
            'amount_centimos', p_centimos, 'tax_centimos', 0, 'reference', reference,
            'party_ref', 'b-' || p_target
        )),
        ('transfer_received', 'b-' || p_target, jsonb_build_object(
            'amount_centimos', p_centimos, 'tax_centimos', 0, 'reference', reference,
            'party_ref', 'b-' || p_source
        ));
    return reference;
end
$$;

grant usage on schema bench to chaski_app;
