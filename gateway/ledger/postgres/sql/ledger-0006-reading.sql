-- What the application may read. It sees these answers, never the tables.
-- depends: ledger-0005-reversals

-- `Rosa Q.`: what others may know of a member; of who was forgotten, that they were one.
create function ledger.short_name(p_member_ref text) returns text
language sql stable
begin atomic
    select case
        when forgotten_at is null
            then split_part(first_names, ' ', 1) || ' ' || left(last_names, 1) || '.'
        else 'ex socio'
    end
    from ledger.member where member_ref = p_member_ref;
end;

-- A member by our reference or by their DNI: whichever of the two is given.
create function ledger.find_member(p_member_ref text, p_dni text)
returns table (member_ref text, short_name text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select m.member_ref, ledger.short_name(m.member_ref)
    from ledger.member as m where m.member_ref = p_member_ref or m.dni = p_dni;
end;

-- All open accounts of a member, savings first, oldest first.
create function ledger.accounts_of(p_member_ref text)
returns table (code text, kind text, name text, balance_centimos bigint, available_centimos bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select
        a.code, a.kind, a.name, b.balance_centimos,
        case
            when a.kind = 'loan' then 0
            else b.balance_centimos - b.held_centimos - b.floor_centimos
        end
    from ledger.account as a
    join ledger.balance as b on b.account_id = a.id
    where a.member_ref = p_member_ref and a.closed_on is null
    order by a.kind desc, a.id;
end;

-- The last lines of a savings account's statement, newest first. What one decision moved is one
-- line, its tax another. No decision has more than four transfers on one account.
create function ledger.movements_of(p_account text, p_limit integer)
returns table (
    decided_at timestamptz, business_date date, kind text, amount_centimos bigint, party text,
    reference text
)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    with mine as (
        select id, member_ref from ledger.account where code = p_account and kind = 'savings'
    ),
    legs as (
        (
            select
                t.decision_id, t.purpose, -t.amount_centimos as centimos,
                t.credit_account_id as other
            from ledger.transfer as t
            where t.debit_account_id = (select id from mine)
            order by t.decision_id desc limit p_limit * 4
        )
        union all
        (
            select t.decision_id, t.purpose, t.amount_centimos, t.debit_account_id
            from ledger.transfer as t
            where t.credit_account_id = (select id from mine)
            order by t.decision_id desc limit p_limit * 4
        )
    ),
    lines as (
        select
            l.decision_id,
            l.purpose = 'tax' and d.kind <> 'reversal' as is_tax,
            sum(l.centimos)::bigint as centimos,
            min(o.member_ref) filter (where l.purpose = 'amount') as other_member
        from legs as l
        join ledger.decision as d on d.id = l.decision_id
        join ledger.account as o on o.id = l.other
        group by l.decision_id, is_tax
    )
    select
        d.decided_at,
        d.business_date,
        case
            when l.is_tax then 'tax'
            when d.kind in ('part', 'payoff') then 'loan_payment'
            when d.kind in ('opening', 'deposit', 'withdrawal', 'reversal') then d.kind
            when l.other_member = mine.member_ref then 'own'
            when l.centimos < 0 then 'sent'
            else 'received'
        end,
        l.centimos,
        case
            when not l.is_tax and l.other_member <> mine.member_ref
                then ledger.short_name(l.other_member)
            else ''
        end,
        d.id::text
    from lines as l
    join ledger.decision as d on d.id = l.decision_id
    cross join mine
    order by l.decision_id desc, l.is_tax desc
    limit p_limit;
end;

-- A member's loans that still owe something on a day, oldest first.
create function ledger.loans_of(p_member_ref text, p_on date)
returns table (
    code text, name text, owed_centimos bigint, due_centimos bigint, late_centimos bigint,
    days_late integer, instalment_centimos bigint, instalment_due_on date, instalments_left integer,
    payoff_centimos bigint
)
language sql stable security definer
set search_path = pg_catalog, pg_temp set enable_seqscan = off
begin atomic
    select
        a.code, a.name, -b.balance_centimos, s.due, s.late, s.days_late,
        case when s.due > 0 then s.due else s.next_due end,
        s.oldest, s.open, s.payoff
    from ledger.account as a
    join ledger.balance as b on b.account_id = a.id
    cross join lateral (
        select
            coalesce(
                sum(late + accrued + unaccrued + principal) filter (where due_on <= p_on), 0
            )::bigint,
            coalesce(sum(late), 0)::bigint,
            greatest(0, p_on - min(due_on)),
            (array_agg(accrued + unaccrued + principal order by number))[1],
            min(due_on),
            count(*)::integer,
            sum(late + accrued + principal)::bigint
        from ledger.open_instalments(a.id, p_on)
    ) as s (due, late, days_late, next_due, oldest, open, payoff)
    where a.member_ref = p_member_ref and a.kind = 'loan' and a.closed_on is null and s.open > 0
    order by a.id;
end;

-- Members with an instalment on a day, paid or not, in pages.
create function ledger.borrowers(p_due_on date, p_after text, p_limit integer)
returns table (member_ref text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select distinct a.member_ref
    from ledger.instalment as i
    join ledger.account as a on a.id = i.loan_id
    where i.due_on = p_due_on and a.closed_on is null and a.member_ref > p_after
    order by a.member_ref
    limit p_limit;
end;

-- What the source would pay beside the amount. The order itself is judged when it is posted.
create function ledger.tax_of(
    p_source text, p_target text, p_amount_centimos bigint, p_business_date date
) returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select case
        when t.kind = 'savings' and t.member_ref = s.member_ref then 0
        else ledger.itf_centimos(p_amount_centimos, p_business_date)
    end
    from (values (p_source, p_target)) as asked (source, target)
    left join ledger.account as s on s.code = asked.source
    left join ledger.account as t on t.code = asked.target;
end;

-- What became of a key; no row where it was never decided on.
create function ledger.find(p_key uuid)
returns table (refusal text, reference text, tax_centimos bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select d.refusal, d.id::text, d.tax_centimos from ledger.decision as d where d.key = p_key;
end;

revoke execute on all functions in schema ledger from public;
grant execute on function ledger.accounts_of, ledger.movements_of, ledger.loans_of, ledger.tax_of,
    ledger.find, ledger.borrowers, ledger.find_member to chaski_app;
