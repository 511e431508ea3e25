-- The outbox: facts that somebody must be told, written in the transaction that made them true.
-- depends: db-0001-roles

create schema notices;

grant usage on schema notices to chaski_app;

-- `quiet`: a fact that is told to nobody. It is neither sent nor a fault, so it is neither word. A type
-- and no check of the table, which PostgreSQL would read anew with every fact.
create domain notices.outbox_state as text check (
    value in ('waiting', 'sending', 'sent', 'quiet', 'dead')
);

create table notices.outbox (
    id bigint generated always as identity primary key,
    -- What happened: transfer_sent, transfer_received, loan_paid, ... The words are chosen when it is sent.
    fact text not null,
    member_ref text not null,
    detail jsonb not null,
    created_at timestamptz not null default clock_timestamp(),
    state notices.outbox_state not null default 'waiting',
    attempts integer not null default 0,
    -- When a drain may take it: at once, after a back-off, or when the lease of a dead drain ends.
    due_at timestamptz not null default clock_timestamp(),
    -- When it was sent, given up, or found to be told to nobody.
    settled_at timestamptz,
    -- What there may be only one message about, ever: better never than twice, so such a row is
    -- tried once.
    once text
);

-- The drain asks for what is due, oldest first; rows that are sent or dead are never looked for.
create index outbox_due on notices.outbox (due_at, id) where state in ('waiting', 'sending');

-- Only one message, ever. Of receipts, which have no such word, nothing is written here.
create unique index outbox_only_one on notices.outbox (once) where once is not null;

-- "Was this member told such a thing within the hour?" Few rows are of that kind.
create index outbox_once on notices.outbox (member_ref, created_at) where once is not null;

-- Called by the functions that make facts true, in their transaction; never by the application.
create function notices.tell(p_fact text, p_member_ref text, p_detail jsonb) returns void
language sql
begin atomic
    insert into notices.outbox (fact, member_ref, detail) values (p_fact, p_member_ref, p_detail);
end;

-- The same of one deed for both whom it concerns, in one statement. No other: nobody's account.
create function notices.tell_both(
    p_fact text, p_member_ref text, p_detail jsonb,
    p_other_fact text, p_other_ref text, p_other_detail jsonb
) returns void
language plpgsql
as $$
begin
    insert into notices.outbox (fact, member_ref, detail)
    select t.fact, t.member_ref, t.detail
    from (
        values (p_fact, p_member_ref, p_detail), (p_other_fact, p_other_ref, p_other_detail)
    ) as t (fact, member_ref, detail)
    where t.member_ref is not null;
end
$$;

revoke execute on function notices.tell, notices.tell_both from public;
