-- Opening: persons, accounts and loans. For the owner alone: none of this is granted to the
-- application.
-- depends: ledger-0007-verify

-- Each may be called again with the same code: what is there is left as it is.

create function ledger.open_member(
    p_member_ref text, p_dni text, p_first_names text, p_last_names text, p_birth_date date
) returns boolean
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
    insert into ledger.member
    values (p_member_ref, p_dni, p_first_names, p_last_names, p_birth_date)
    on conflict (member_ref) do nothing;
    return found;
end
$$;

create function ledger.open_savings(
    p_code text, p_name text, p_member_ref text, p_opening_centimos bigint, p_floor_centimos bigint,
    p_ceiling_centimos bigint, p_business_date date
) returns boolean
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
    opened bigint;
    decided bigint;
begin
    insert into ledger.account (code, kind, name, member_ref)
    values (p_code, 'savings', p_name, p_member_ref)
    on conflict (code) do nothing
    returning id into opened;
    if opened is null then
        return false;
    end if;
    insert into ledger.balance
    values (opened, p_opening_centimos, 0, p_floor_centimos, p_ceiling_centimos);
    if p_opening_centimos > 0 then
        decided := ledger.decide(
            gen_random_uuid(), 'opening', 'opening', p_code, p_opening_centimos, null, null,
            p_business_date, 0, 0
        );
        insert into ledger.transfer
        select decided, 1, a.id, opened, p_opening_centimos, 'amount'
        from ledger.account as a where a.code = 'opening';
    end if;
    return true;
end
$$;

-- A loan with its whole schedule. `p_principal_to` is where the principal goes: a savings account
-- or `cash` for a new loan, `opening` for one that comes from the books before. The first
-- `p_paid_instalments` were paid there: they are on the schedule, and nothing is owed for them.
create function ledger.open_loan(
    p_code text, p_name text, p_member_ref text, p_product text, p_disbursed_on date,
    p_due_on date[], p_principal_centimos bigint[], p_interest_centimos bigint[],
    p_paid_instalments integer, p_principal_to text, p_floor_centimos bigint, p_business_date date
) returns boolean
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
    opened bigint;
    decided bigint;
    receiver bigint;
    principal bigint;
    interest bigint;
begin
    insert into ledger.account (code, kind, name, member_ref)
    values (p_code, 'loan', p_name, p_member_ref)
    on conflict (code) do nothing
    returning id into opened;
    if opened is null then
        return false;
    end if;
    insert into ledger.balance values (opened, 0, 0, p_floor_centimos, 0);
    insert into ledger.loan values (opened, p_product, p_disbursed_on);
    insert into ledger.instalment
    select
        opened, number, lag(due_on, 1, p_disbursed_on) over (order by number), due_on,
        principal_part, interest_part
    from unnest(p_due_on, p_principal_centimos, p_interest_centimos)
        with ordinality as u (due_on, principal_part, interest_part, number);

    select
        coalesce(sum(principal_centimos) filter (where number > p_paid_instalments), 0),
        coalesce(sum(interest_centimos) filter (where number > p_paid_instalments), 0)
    into principal, interest
    from ledger.instalment where loan_id = opened;
    decided := ledger.decide(
        gen_random_uuid(), 'opening', p_code, p_principal_to, principal + interest, null, null,
        p_business_date, 0, 0
    );
    select id into strict receiver from ledger.account where code = p_principal_to;
    insert into ledger.transfer
    select decided, row_number() over (), legs.*
    from (
        values
            (opened, receiver, principal, 'amount'),
            (opened, ledger.unearned_interest_account(), interest, 'unearned')
    ) as legs (debit, credit, centimos, purpose)
    where centimos > 0;
    insert into ledger.allocation
    select decided, opened, number, component, centimos, due_on
    from ledger.instalment
    cross join lateral (
        values ('principal', principal_centimos), ('interest', interest_centimos)
    ) as part (component, centimos)
    where loan_id = opened and number <= p_paid_instalments and centimos > 0;
    update ledger.balance as b set balance_centimos = b.balance_centimos + e.centimos
    from (
        select account_id, sum(amount_centimos) as centimos
        from ledger.entry where decision_id = decided group by account_id
    ) as e
    where b.account_id = e.account_id;
    return true;
end
$$;

revoke execute on all functions in schema ledger from public;

-- The two kinds of loan of the cooperative; more are rows, not code. The late rate is 15 % a year.
insert into ledger.loan_product (code, name) values
    ('personal', 'Personal loan, constant instalments'),
    ('campaign', 'Campaign loan, one payment at harvest');
insert into ledger.late_rate (product, effective_on, rate_ppm) values
    ('personal', '2020-01-01', 150000),
    ('campaign', '2020-01-01', 150000);
