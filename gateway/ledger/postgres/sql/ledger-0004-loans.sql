-- Loans: a schedule, what is due on a day, and payments shared out over it.
-- depends: ledger-0002-transfers

-- A loan's account is gross: at disbursement it is debited with the principal and all interest of
-- the schedule, so that its balance is exactly minus what the schedule still asks, and paying an
-- instalment of S/ 85.40 moves it by S/ 85.40. The interest waits in `unearned-interest` until it
-- is paid. A late charge is no part of the balance: it is worked out for the day that is asked, and
-- is income when paid.

create table ledger.loan_product (
    code text primary key,
    name text not null,
    -- Within one instalment, what a payment covers first.
    allocation_order text[] not null default '{late,interest,principal}' check (
        allocation_order <@ '{late,interest,principal}' and cardinality(allocation_order) = 3
        and allocation_order @> '{late,interest,principal}'
    )
);

-- Simple interest on overdue principal: parts per million a year of 360 days, by the date from
-- which the rate holds.
create table ledger.late_rate (
    product text not null references ledger.loan_product,
    effective_on date not null,
    rate_ppm bigint not null check (rate_ppm >= 0),
    primary key (product, effective_on)
);

create table ledger.loan (
    account_id bigint primary key references ledger.balance,
    product text not null references ledger.loan_product,
    disbursed_on date not null
);

-- Interest is earned day by day from begins_on to due_on.
create table ledger.instalment (
    loan_id bigint not null references ledger.loan,
    number integer not null check (number > 0),
    begins_on date not null,
    due_on date not null,
    principal_centimos bigint not null check (principal_centimos >= 0),
    interest_centimos bigint not null check (interest_centimos >= 0),
    xact bigint not null default audit.xact(),
    primary key (loan_id, number),
    check (begins_on < due_on),
    check (principal_centimos + interest_centimos > 0)
);

-- Whom to remind of an instalment.
create index instalment_due on ledger.instalment (due_on);

create domain ledger.component as text check (
    value in ('late', 'interest', 'principal', 'rebate')
);
create domain ledger.some_centimos as bigint check (value <> 0);

-- What each payment paid of each instalment; a reversal writes the same with the sign turned.
-- `rebate` is interest that was never earned because the loan was paid off early.
-- As with transfers, `ledger.verify` looks for those of no decision, and of no instalment: who writes
-- them has the instalments before it, which stay, or the rows that it turns.
create table ledger.allocation (
    decision_id bigint not null,
    loan_id bigint not null,
    number integer not null,
    component ledger.component not null,
    amount_centimos ledger.some_centimos not null,
    business_date date not null,
    xact bigint not null default audit.xact(),
    -- The loan first: what it still owes is its schedule less its allocations.
    primary key (loan_id, number, decision_id, component)
);

create trigger instalment_append_only before update or delete or truncate on ledger.instalment
for each statement execute function ledger.refuse_change();

create trigger allocation_append_only before update or delete or truncate on ledger.allocation
for each statement execute function ledger.refuse_change();

-- The late rate summed over the days of a period, in ppm times days: a rate may change on the way.
create function ledger.late_ppm_days(p_product text, p_from date, p_to date) returns numeric
language sql stable
begin atomic
    select coalesce(
        sum(rate_ppm * greatest(0, least(p_to, ends_on) - greatest(p_from, effective_on))), 0
    )
    from (
        select
            rate_ppm, effective_on,
            lead(effective_on, 1, date '9999-12-31') over (order by effective_on) as ends_on
        from ledger.late_rate
        where product = p_product
    ) as period;
end;

-- An instalment that is open on a day, and what closes it:
--   late      charge on overdue principal up to that day, less what was paid of it
--   accrued   interest earned by that day and not paid
--   unaccrued interest that is scheduled after that day and not paid
--   principal not paid
create type ledger.open_instalment as (
    number integer, due_on date, late bigint, accrued bigint, unaccrued bigint, principal bigint
);

-- The charge on an instalment that is overdue, paid or not, up to a day.
create function ledger.late_charge(p_loan_id bigint, p_number integer, p_on date) returns bigint
language sql stable
begin atomic
    select floor(
        (
            i.principal_centimos * ledger.late_ppm_days(l.product, i.due_on, p_on)
            -- Principal that was paid carries the charge until the day on which it was paid.
            - coalesce((
                select sum(
                    a.amount_centimos
                    * ledger.late_ppm_days(l.product, greatest(a.business_date, i.due_on), p_on)
                )
                from ledger.allocation as a
                where a.loan_id = i.loan_id and a.number = i.number and a.component = 'principal'
            ), 0)
        ) / (1000000 * 360)
    )::bigint
    from ledger.instalment as i
    join ledger.loan as l on l.account_id = i.loan_id
    where i.loan_id = p_loan_id and i.number = p_number;
end;

create function ledger.open_instalments(p_loan_id bigint, p_on date)
returns setof ledger.open_instalment
language sql stable
begin atomic
    with standing as (
        select
            i.number,
            i.due_on,
            -- Few are overdue: what the charge is made of is looked up for those alone.
            case when i.due_on < p_on then ledger.late_charge(i.loan_id, i.number, p_on) else 0 end
            - coalesce(sum(a.amount_centimos) filter (where a.component = 'late'), 0)::bigint
            as late,
            -- Of the scheduled interest, what the days up to p_on have earned; céntimos round down.
            case
                when p_on >= i.due_on then i.interest_centimos
                when p_on <= i.begins_on then 0
                else i.interest_centimos * (p_on - i.begins_on) / (i.due_on - i.begins_on)
            end as earned,
            i.interest_centimos as interest,
            coalesce(
                sum(a.amount_centimos) filter (where a.component in ('interest', 'rebate')), 0
            )::bigint as interest_paid,
            i.principal_centimos
            - coalesce(sum(a.amount_centimos) filter (where a.component = 'principal'), 0)::bigint
            as principal
        from ledger.instalment as i
        left join ledger.allocation as a on a.loan_id = i.loan_id and a.number = i.number
        where i.loan_id = p_loan_id
        group by i.loan_id, i.number
    )
    select
        number,
        due_on,
        greatest(0, late),
        greatest(0, earned - interest_paid),
        interest - interest_paid - greatest(0, earned - interest_paid),
        principal
    from standing
    where principal > 0 or interest > interest_paid or late > 0
    order by number;
end;

-- Share a payment out: the oldest instalment first, within it in the product's order. Where it pays
-- the loan off, interest that is not earned yet is given up. Answers the sums that the transfers
-- need. `p_open` is what `open_instalments` says under the loan's lock: it is asked once.
create function ledger.allocate(
    p_decision_id bigint, p_loan_id bigint, p_open ledger.open_instalment [], p_order text [],
    p_amount_centimos bigint, p_business_date date, p_pays_off boolean,
    out late bigint, out interest bigint, out principal bigint, out rebate bigint
)
language plpgsql
as $$
declare
    instalment ledger.open_instalment;
    part text;
    centimos bigint;
    rest bigint := p_amount_centimos;
    shares ledger.allocation[];
begin
    late := 0;
    interest := 0;
    principal := 0;
    rebate := 0;

    foreach instalment in array p_open loop
        exit when rest = 0 and not p_pays_off;
        foreach part in array p_order || '{rebate}' loop
            centimos := case part
                when 'late' then least(rest, instalment.late)
                when 'principal' then least(rest, instalment.principal)
                when 'rebate' then case when p_pays_off then instalment.unaccrued else 0 end
                when 'interest' then least(
                    rest,
                    instalment.accrued + case when p_pays_off then 0 else instalment.unaccrued end
                )
            end;
            continue when centimos = 0;
            shares := shares || (
                p_decision_id, p_loan_id, instalment.number, part, centimos, p_business_date,
                audit.xact()
            )::ledger.allocation;
            case part
                when 'late' then late := late + centimos;
                when 'principal' then principal := principal + centimos;
                when 'rebate' then rebate := rebate + centimos;
                when 'interest' then interest := interest + centimos;
            end case;
            if part <> 'rebate' then
                rest := rest - centimos;
            end if;
        end loop;
    end loop;
    insert into ledger.allocation select * from unnest(shares);
end
$$;

-- Pay a loan from savings. The debit side pays the ITF; a credit to a loan is not taxed.
--
-- `enable_seqscan = off`, here and where limits are judged: a connection keeps its plans, and one that
-- made them while a table was empty would read all of it at each order once it is not, until
-- statistics are taken. Whatever an order looks for has an index, but for the rows of the law, which
-- are a handful.
create function ledger.post_repayment(
    p_key uuid, p_source text, p_loan text, p_amount_centimos bigint, p_mode text,
    p_business_date date
) returns ledger.answer
language plpgsql set enable_seqscan = off
as $$
declare
    source_id bigint;
    available bigint;
    loan_id bigint;
    allocation_order text[];
    owed bigint;
    open_ones ledger.open_instalment[];
    payoff bigint;
    tax bigint := 0;
    refusal text;
    decided bigint;
    paid record;
    unearned_id constant bigint := ledger.unearned_interest_account();
    to_loan bigint;
begin
    select s.id, l.id, p.allocation_order into source_id, loan_id, allocation_order
    from ledger.account as s
    cross join ledger.account as l
    join ledger.loan as n on n.account_id = l.id
    join ledger.loan_product as p on p.code = n.product
    where s.code = p_source and s.kind = 'savings' and s.closed_on is null
        and l.code = p_loan and l.kind = 'loan' and l.closed_on is null;

    if source_id is null then
        refusal := 'no_such_account';
    else
        select
            max(b.free_centimos) filter (where b.account_id = source_id),
            max(b.owed_centimos) filter (where b.account_id = loan_id)
        into available, owed
        from (
            select
                account_id,
                balance_centimos - held_centimos - floor_centimos as free_centimos,
                -balance_centimos as owed_centimos
            from ledger.balance
            where account_id in (source_id, loan_id)
            order by account_id
            for no key update
        ) as b;
        select
            array_agg(o order by o.number),
            coalesce(sum(o.late + o.accrued + o.principal), 0)::bigint
        into open_ones, payoff
        from ledger.open_instalments(loan_id, p_business_date) as o;
        tax := ledger.itf_centimos(p_amount_centimos, p_business_date);
        refusal := case
            when payoff = 0 then 'nothing_owed'
            when p_mode = 'payoff' and p_amount_centimos <> payoff then 'payoff_changed'
            when p_amount_centimos > payoff then 'over_payoff'
            when p_amount_centimos + tax > available then 'insufficient_funds'
        end;
    end if;
    insert into ledger.decision (
        key, kind, source, target, amount_centimos, refusal, business_date, tax_centimos
    ) values (
        p_key, p_mode, p_source, p_loan, p_amount_centimos, refusal, p_business_date, tax
    )
    on conflict (key) do nothing
    returning id into decided;
    if decided is null then
        return ledger.earlier_answer(p_key, p_mode, p_source, p_loan, p_amount_centimos, null);
    end if;
    if refusal is not null then
        return ('refused', refusal, null, 0, 0, available, true)::ledger.answer;
    end if;

    -- Paying exactly the payoff closes the loan, whichever way it was meant.
    paid := ledger.allocate(
        decided, loan_id, open_ones, allocation_order, p_amount_centimos, p_business_date,
        p_amount_centimos = payoff
    );
    insert into ledger.transfer
    select decided, legs.*
    from (
        values
            (1, source_id, loan_id, paid.interest + paid.principal, 'amount'),
            (2, source_id, ledger.late_income_account(), paid.late, 'late'),
            (3, source_id, ledger.itf_account(), tax, 'tax'),
            (4, unearned_id, ledger.interest_income_account(), paid.interest, 'earned'),
            (5, unearned_id, loan_id, paid.rebate, 'rebate')
    ) as legs (leg, debit, credit, centimos, purpose)
    where centimos > 0;
    to_loan := paid.interest + paid.principal + paid.rebate;
    -- Both at once: they are locked already.
    update ledger.balance set
        balance_centimos = balance_centimos
            + case account_id when loan_id then to_loan else -p_amount_centimos - tax end
    where account_id in (source_id, loan_id);
    return ('posted', null, decided::text, tax, 0, owed - to_loan, true)::ledger.answer;
end
$$;

-- The one door for orders: without a mode it is a transfer, else a repayment.
create function ledger.post(
    p_key uuid, p_source text, p_target text, p_amount_centimos bigint, p_mode text,
    p_business_date date
) returns ledger.answer
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    if p_mode is null then
        return ledger.post_transfer(p_key, p_source, p_target, p_amount_centimos, p_business_date);
    end if;
    return ledger.post_repayment(
        p_key, p_source, p_target, p_amount_centimos, p_mode, p_business_date
    );
end
$$;

revoke execute on all functions in schema ledger from public;
grant execute on function ledger.post to chaski_app;
