-- Recompute everything that is kept from what was written, in one snapshot.
-- depends: ledger-0006-reading

-- One row for each thing that does not add up: `what` says which rule, `account` where.
create function ledger.differences()
returns table (what text, account text, kept_centimos bigint, recomputed_centimos bigint)
language sql stable
begin atomic
    with moved as (
        select account_id, sum(amount_centimos)::bigint as centimos
        from ledger.entry group by account_id
    ),
    held as (
        select h.account_id, sum(h.amount_centimos)::bigint as centimos
        from ledger.hold as h
        where not exists (select from ledger.hold_resolution as r where r.hold_id = h.decision_id)
        group by h.account_id
    ),
    asked as (
        select loan_id, sum(principal_centimos + interest_centimos)::bigint as centimos
        from ledger.instalment group by loan_id
    ),
    paid as (
        select loan_id, sum(amount_centimos)::bigint as centimos
        from ledger.allocation where component <> 'late' group by loan_id
    )
    select 'balance', a.code, b.balance_centimos, coalesce(m.centimos, 0)
    from ledger.balance as b
    join ledger.account as a on a.id = b.account_id
    left join moved as m on m.account_id = b.account_id
    where b.balance_centimos <> coalesce(m.centimos, 0)
    union all
    select 'held', a.code, b.held_centimos, coalesce(h.centimos, 0)
    from ledger.balance as b
    join ledger.account as a on a.id = b.account_id
    left join held as h on h.account_id = b.account_id
    where b.held_centimos <> coalesce(h.centimos, 0)
    union all
    select 'owed', a.code, -b.balance_centimos, coalesce(s.centimos, 0) - coalesce(p.centimos, 0)
    from ledger.loan as l
    join ledger.balance as b on b.account_id = l.account_id
    join ledger.account as a on a.id = l.account_id
    left join asked as s on s.loan_id = l.account_id
    left join paid as p on p.loan_id = l.account_id
    where -b.balance_centimos <> coalesce(s.centimos, 0) - coalesce(p.centimos, 0)
    union all
    select 'no such account', m.account_id::text, 0, m.centimos
    from moved as m
    where not exists (select from ledger.account as a where a.id = m.account_id)
    union all
    select 'no balance row', a.code, 0, coalesce(m.centimos, 0)
    from ledger.account as a
    left join moved as m on m.account_id = a.id
    where (a.kind <> 'own') <> exists (select from ledger.balance as b where b.account_id = a.id)
    union all
    select 'transfers of no order', t.decision_id::text, 0, sum(t.amount_centimos)::bigint
    from ledger.transfer as t
    where not exists (select from ledger.decision as d where d.id = t.decision_id)
    group by t.decision_id
    union all
    select 'allocations of no order', p.decision_id::text, 0, sum(p.amount_centimos)::bigint
    from ledger.allocation as p
    where not exists (select from ledger.decision as d where d.id = p.decision_id)
    group by p.decision_id
    union all
    select 'allocations of no instalment', p.decision_id::text, 0, sum(p.amount_centimos)::bigint
    from ledger.allocation as p
    where not exists (
        select from ledger.instalment as i where i.loan_id = p.loan_id and i.number = p.number
    )
    group by p.decision_id
    union all
    select 'transfers of a refused order', d.id::text, 0, sum(t.amount_centimos)::bigint
    from ledger.decision as d
    join ledger.transfer as t on t.decision_id = d.id
    where d.refusal is not null or d.kind = 'hold'
    group by d.id
    union all
    select 'posted without transfers', d.id::text, d.amount_centimos, 0
    from ledger.decision as d
    where d.refusal is null and d.kind <> 'hold'
        and not exists (select from ledger.transfer as t where t.decision_id = d.id);
end;

-- The sum is over what is kept: members' balance rows, and the cooperative's own accounts as sums.
create function ledger.verify()
returns table (
    ok boolean, accounts bigint, transfers bigint, entries bigint, sum_centimos bigint,
    differing jsonb
)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    with figures as (
        select
            (select count(*) from ledger.account) as accounts,
            (select count(*) from ledger.transfer) as transfers,
            (select count(*) from ledger.entry) as entries,
            (select coalesce(sum(balance_centimos), 0) from ledger.balance)
            + (
                select coalesce(sum(e.amount_centimos), 0)
                from ledger.entry as e
                where not exists (select from ledger.balance as b where b.account_id = e.account_id)
            ) as sum_centimos,
            (
                select coalesce(jsonb_agg(to_jsonb(d)), '[]') from ledger.differences() as d
            ) as differing
    )
    select
        sum_centimos = 0 and differing = '[]' and entries = 2 * transfers,
        accounts, transfers, entries, sum_centimos::bigint, differing
    from figures;
end;

revoke execute on all functions in schema ledger from public;
grant execute on function ledger.verify to chaski_app;
