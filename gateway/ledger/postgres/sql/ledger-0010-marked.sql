-- What orders did to an account, for whoever compares these books with the orders.
-- depends: ledger-0009-cash

-- In pages, by the decision's id. A tax is not of the order, and a reversal is none.
create function ledger.marked(
    p_account text, p_since date, p_until date, p_after bigint, p_limit integer
)
returns table (
    decision_id bigint, key uuid, amount_centimos bigint, business_date date, was_reversed boolean
)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    with mine as (
        select id from ledger.account where code = p_account and kind = 'savings'
    ),
    legs as (
        select t.decision_id, -t.amount_centimos as centimos
        from ledger.transfer as t
        where t.debit_account_id = (select id from mine) and t.decision_id > p_after
            and t.purpose <> 'tax'
        union all
        select t.decision_id, t.amount_centimos
        from ledger.transfer as t
        where t.credit_account_id = (select id from mine) and t.decision_id > p_after
            and t.purpose <> 'tax'
    )
    select
        d.id, d.key, sum(l.centimos)::bigint, d.business_date,
        exists (
            select from ledger.decision as r
            where r.concerns = d.key and r.kind = 'reversal' and r.refusal is null
        )
    from legs as l
    join ledger.decision as d on d.id = l.decision_id
    where d.business_date between p_since and p_until
        and d.kind in ('transfer', 'held_transfer', 'part', 'payoff', 'deposit', 'withdrawal')
    group by d.id
    order by d.id
    limit p_limit;
end;

revoke execute on function ledger.marked from public;
grant execute on function ledger.marked to chaski_app;
