-- The least that a transfer can be: one function that locks two balances, looks whether there is
-- enough, and writes the rows that the ledger writes: a decision under its key, a transfer, two
-- balances. With the ledger's own indexes and checks on them, and nothing else.

drop schema if exists bench cascade;
create schema bench;

create table bench.balance (like ledger.balance including all);
create table bench.decision (like ledger.decision including all);
create table bench.transfer (like ledger.transfer including all);
alter table bench.balance set (fillfactor = 70);

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

grant usage on schema bench to chaski_app;
