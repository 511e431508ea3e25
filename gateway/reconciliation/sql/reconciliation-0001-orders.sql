-- Our orders, as whoever compares them with the core's books reads them. Codes, keys and amounts: no
-- phone, no name, and nothing here writes an order.
-- depends: instructions-0001-tables  bank-0002-members

create schema reconciliation;

grant usage on schema reconciliation to chaski_app;

-- What an order does to each savings account that it touches. `ended` and not posted: it came to
-- nothing, or was never to be.
create view reconciliation.side as
select
    i.key, i.source as account, -i.amount_centimos as change_centimos, true as gives,
    case when i.awaits_approval and i.settled_at is null then 'waits' else i.state end as state,
    i.settled_at is not null as ended, i.business_date, i.accepted_at, i.reference
from instructions.instruction as i where i.operation is not null
union all
select
    i.key, i.target, i.amount_centimos, false,
    case when i.awaits_approval and i.settled_at is null then 'waits' else i.state end,
    i.settled_at is not null, i.business_date, i.accepted_at, i.reference
from instructions.instruction as i where i.operation is not null and i.mode is null;

-- The accounts that orders of these days touch, in the order of their codes.
create function reconciliation.accounts(
    p_since date, p_until date, p_after text, p_limit integer
) returns table (account text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select distinct s.account from reconciliation.side as s
    where s.business_date between p_since and p_until and s.account > p_after
    order by s.account
    limit p_limit;
end;

create function reconciliation.count_accounts(p_since date, p_until date) returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select count(distinct s.account) from reconciliation.side as s
    where s.business_date between p_since and p_until;
end;

-- Which of these accounts no order of these days touches.
create function reconciliation.untouched(p_accounts text[], p_since date, p_until date)
returns table (account text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select a.account from unnest(p_accounts) as a (account)
    where not exists (
        select from reconciliation.side as s
        where s.business_date between p_since and p_until and s.account = a.account
    )
    order by a.account;
end;

-- What the orders of a day do to these accounts.
create function reconciliation.sides(p_accounts text[], p_on date)
returns setof reconciliation.side
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select s.* from reconciliation.side as s
    where s.business_date = p_on and s.account = any (p_accounts)
    order by s.account, s.accepted_at, s.key;
end;

-- What we know of these keys. One that was closed before any order came has no account.
create function reconciliation.known(p_keys uuid[])
returns table (
    key uuid, source text, target text, state text, ended boolean, business_date date,
    amount_centimos bigint, mode text, accepted_at timestamptz, reference text
)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select
        i.key, i.source, i.target,
        case when i.awaits_approval and i.settled_at is null then 'waits' else i.state end,
        i.settled_at is not null, i.business_date,
        i.amount_centimos, i.mode, i.accepted_at, i.reference
    from instructions.instruction as i where i.key = any (p_keys);
end;

-- Everybody, in pages: after a backup was restored the orders that it lacks name no account.
create function reconciliation.members(p_after text, p_limit integer)
returns table (member_ref text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select m.member_ref from bank.member as m
    where m.member_ref > p_after order by m.member_ref limit p_limit;
end;

-- The days that were compared to the end.
create table reconciliation.day_compared (
    day date primary key,
    accounts bigint not null,
    orders bigint not null,
    differences bigint not null,
    finished_at timestamptz not null
);

create function reconciliation.keep(
    p_day date, p_accounts bigint, p_orders bigint, p_differences bigint, p_now timestamptz
) returns void
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    insert into reconciliation.day_compared values
        (p_day, p_accounts, p_orders, p_differences, p_now)
    on conflict (day) do update set
        accounts = excluded.accounts,
        orders = excluded.orders,
        differences = excluded.differences,
        finished_at = excluded.finished_at;
end;

-- The newest day that was compared to the end, and the differences of all days that were compared
-- with it: what an older one of them showed is not hidden by a newer one without any.
create function reconciliation.newest()
returns table (day date, differences bigint, finished_at timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select
        d.day,
        (
            select sum(o.differences)::bigint from reconciliation.day_compared as o
            where o.finished_at > d.finished_at - interval '12 hours'
        ),
        d.finished_at
    from reconciliation.day_compared as d
    order by d.day desc limit 1;
end;

revoke execute on all functions in schema reconciliation from public;
grant execute on all functions in schema reconciliation to chaski_app;
