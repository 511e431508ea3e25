-- What somebody said that happened at the core, until it is read back there.
-- depends: bank-0002-members  notices-0001-outbox  instructions-0001-tables

create schema core_news;

grant usage on schema core_news to chaski_app;

-- waiting  it has to be looked at
-- told     it is real, and its member is being told
-- ours     an order of ours did it, whose member is told by that
-- nobody   it is real, and of nobody who banks by phone
-- old      it is real, and was done too long ago to be news
-- absent   the core has no such thing, or has taken it back: a later hint is looked at afresh
-- dead     the core was away for too long, or makes no sense: for staff
--
-- Two numbers of the core's, and nothing else of what was said.
create table core_news.hint (
    id bigint generated always as identity primary key,
    subject text not null check (subject in ('savings', 'loan', 'transfer')),
    account_id bigint not null,
    line_id bigint not null,
    state text not null default 'waiting' check (
        state in ('waiting', 'told', 'ours', 'nobody', 'old', 'absent', 'dead')
    ),
    attempts integer not null default 0, -- claims: the fencing token of whoever looks
    looks integer not null default 0, -- answers that there is no such thing
    heard_at timestamptz not null,
    due_at timestamptz not null,
    settled_at timestamptz,
    -- Once for each, however often and in whatever order hints come. That the account is the line's own
    -- is proven when it is read back.
    unique (subject, account_id, line_id),
    check ((state = 'waiting') = (settled_at is null))
);

-- What is due, oldest first; what has ended is never looked for.
create index hint_due on core_news.hint (due_at, id) where state = 'waiting';

-- What is forgotten is looked for by its age; and staff count the dead.
create index hint_settled on core_news.hint (settled_at);
create index hint_dead on core_news.hint (id) where state = 'dead';

-- new, known, or crowded: so many wait that somebody must be flooding us.
create function core_news.hear(
    p_subject text, p_account_id bigint, p_line_id bigint, p_now timestamptz, p_waiting_max integer
) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    heard bigint;
    waiting bigint;
begin
    select count(*) into waiting
    from (select from core_news.hint where state = 'waiting' limit p_waiting_max) as w;
    if waiting >= p_waiting_max then
        return 'crowded';
    end if;
    insert into core_news.hint as h (subject, account_id, line_id, heard_at, due_at)
    values (p_subject, p_account_id, p_line_id, p_now, p_now)
    on conflict (subject, account_id, line_id) do update set
        state = 'waiting', looks = 0, heard_at = p_now, due_at = p_now, settled_at = null
    where h.state in ('absent', 'dead')
    returning h.id into heard;
    return case when heard is null then 'known' else 'new' end;
end
$$;

-- Some that are due, for so long that no other worker looks at them meanwhile.
create function core_news.claim(p_rows integer, p_lease_s double precision, p_now timestamptz)
returns table (
    id bigint, attempt integer, looks integer, subject text, account_id bigint, line_id bigint,
    heard_at timestamptz
)
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    update core_news.hint as h
    set attempts = h.attempts + 1, due_at = p_now + make_interval(secs => p_lease_s)
    where h.id in (
        select d.id from core_news.hint as d
        where d.state = 'waiting' and d.due_at <= p_now
        order by d.due_at, d.id
        limit p_rows
        for no key update skip locked
    )
    returning h.id, h.attempts, h.looks, h.subject, h.account_id, h.line_id, h.heard_at;
end;

-- It is looked at again. `p_looked`: the core did answer, that there is no such thing.
create function core_news.wait(
    p_id bigint, p_attempt integer, p_looked boolean, p_due_at timestamptz
) returns void
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    update core_news.hint
    set due_at = p_due_at, looks = looks + p_looked::integer
    where id = p_id and attempts = p_attempt and state = 'waiting';
end;

-- It has ended, and nobody is told.
create function core_news.settle(
    p_id bigint, p_attempt integer, p_state text, p_now timestamptz
) returns void
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    update core_news.hint set state = p_state, settled_at = p_now
    where id = p_id and attempts = p_attempt and state = 'waiting';
end;

-- Its member is told, in the same transaction that ends it: once. Who never enrolled has not agreed
-- to be written to.
create function core_news.tell(
    p_id bigint, p_attempt integer, p_fact text, p_member_ref text, p_amount_centimos bigint,
    p_name text, p_done_on date, p_reference text, p_now timestamptz
) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    banks constant boolean := exists (
        select from bank.member as m
        join bank.pin_credential as c using (member_ref)
        where m.member_ref = p_member_ref and m.msisdn is not null
    );
begin
    update core_news.hint
    set state = case when banks then 'told' else 'nobody' end, settled_at = p_now
    where id = p_id and attempts = p_attempt and state = 'waiting';
    if not found or not banks then
        return false;
    end if;
    if p_fact = 'core_credit' then
        perform notices.tell('core_credit', p_member_ref, jsonb_build_object(
            'amount_centimos', p_amount_centimos, 'name', p_name, 'done_on', p_done_on,
            'reference', p_reference
        ));
    elsif p_fact = 'core_debit' then
        perform notices.tell('core_debit', p_member_ref, jsonb_build_object(
            'amount_centimos', p_amount_centimos, 'name', p_name, 'done_on', p_done_on,
            'reference', p_reference
        ));
    elsif p_fact = 'core_loan' then
        perform notices.tell('core_loan', p_member_ref, jsonb_build_object(
            'amount_centimos', p_amount_centimos, 'name', p_name, 'done_on', p_done_on,
            'reference', p_reference
        ));
    else
        raise exception 'no such fact: %', p_fact;
    end if;
    return true;
end
$$;

-- For the metrics.
create function core_news.state() returns table (waiting bigint, dead bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select
        (select count(*) from core_news.hint where state = 'waiting'),
        (select count(*) from core_news.hint where state = 'dead');
end;

create function core_news.forget_hints(p_before timestamptz, p_rows integer) returns bigint
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with gone as (
        delete from core_news.hint as h
        where h.id in (
            select o.id from core_news.hint as o where o.settled_at < p_before
            order by o.settled_at limit p_rows
        )
        returning 1
    )
    select count(*) from gone;
end;

revoke execute on all functions in schema core_news from public;
grant execute on all functions in schema core_news to chaski_app;
