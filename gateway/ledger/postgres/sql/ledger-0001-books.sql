-- The cooperative's own books: who, what they hold, and every céntimo that ever moved.
-- depends: db-0001-roles  audit-0001-trail

-- Amounts are whole céntimos. Everywhere an account's balance is its credits minus its debits:
-- savings are positive, what is owed on a loan is negative, and the sum over all accounts is zero.
--
-- The application's role has no right on any table. It calls the functions that are granted by
-- name; they run as the owner, and none of them can write half of a movement.

-- `xact`, wherever it stands, is the transaction that wrote the row: by it the seals of the audit room
-- know what is complete (gateway/audit/README.md).

create schema ledger;

grant usage on schema ledger to chaski_app;

-- What a single column may hold is said by its type. A table's check says the same, but PostgreSQL reads
-- its text anew in every statement that writes (ten of them were a third of a transfer's work), and
-- a type's once in a connection. So checks are left to what concerns several columns.
create domain ledger.centimos_or_none as bigint check (value >= 0);
create domain ledger.moved_centimos as bigint check (value > 0);

-- Who was forgotten keeps the reference alone: the postings are the cooperative's.
create table ledger.member (
    member_ref text primary key,
    dni text unique check (dni ~ '^[0-9]{8}$'),
    first_names text check (first_names <> ''),
    last_names text check (last_names <> ''),
    birth_date date,
    forgotten_at timestamptz,
    check (
        num_nulls(dni, first_names, last_names, birth_date)
        = case when forgotten_at is null then 0 else 4 end
    )
);

-- `own` is an account of the cooperative itself: it belongs to no member.
create table ledger.account (
    id bigint generated always as identity (start with 1001) primary key,
    code text not null unique check (code <> ''),
    kind text not null check (kind in ('savings', 'loan', 'own')),
    name text not null,
    member_ref text references ledger.member,
    closed_on date,
    xact bigint not null default audit.xact(),
    check ((kind = 'own') = (member_ref is null))
);

-- "All accounts of a member" is asked on the way to almost every screen.
create index account_member on ledger.account (member_ref);

-- The cooperative's own accounts have fixed ids below 1000, and no balance row: every payment
-- touches them, so such a row would make all payments wait for each other. Their balance is a sum.
insert into ledger.account (id, code, kind, name) overriding system value values
    (1, 'opening', 'own', 'Balances brought from the books before'),
    (2, 'cash', 'own', 'Cash'),
    (3, 'itf', 'own', 'ITF withheld for SUNAT'),
    (4, 'interest-income', 'own', 'Interest earned on loans'),
    (5, 'unearned-interest', 'own', 'Interest of loans, not earned yet'),
    (6, 'late-income', 'own', 'Late charges earned');

create function ledger.itf_account() returns bigint language sql immutable return 3;
create function ledger.interest_income_account() returns bigint language sql immutable return 4;
create function ledger.unearned_interest_account() returns bigint language sql immutable return 5;
create function ledger.late_income_account() returns bigint language sql immutable return 6;

-- One row for each account of a member, locked by whoever moves its money. All code locks these
-- rows in ascending account_id, so that no two transactions can wait for each other over them.
create table ledger.balance (
    account_id bigint primary key references ledger.account,
    balance_centimos bigint not null default 0,
    held_centimos ledger.centimos_or_none not null default 0,
    floor_centimos bigint not null,
    ceiling_centimos bigint not null,
    constraint balance_floor check (balance_centimos - held_centimos >= floor_centimos),
    constraint balance_ceiling check (balance_centimos <= ceiling_centimos)
) with (fillfactor = 70); -- room on the page for the next version: no index is touched

create domain ledger.decision_kind as text check (
    value in (
        'opening', 'transfer', 'part', 'payoff', 'deposit', 'withdrawal', 'hold', 'held_transfer',
        'reversal'
    )
);

-- What a kind of decision has beside its content, and no other: the key of the order that it undoes
-- or of the hold that it uses up; a day, but a hold moves nothing. In plpgsql because that is read
-- once, too.
create function ledger.fits_kind(p_kind text, p_concerns uuid, p_business_date date)
returns boolean
language plpgsql immutable
as $$
begin
    return (p_concerns is not null) = (p_kind in ('reversal', 'held_transfer'))
        and (p_business_date is null) = (p_kind = 'hold');
end
$$;

-- Every key that the ledger decided on, once. A posted one has its transfers; a refused one has
-- none, and stays refused. Its id is the reference that a member reads aloud.
create table ledger.decision (
    id bigint generated always as identity (start with 100001) primary key,
    key uuid not null unique,
    kind ledger.decision_kind not null,
    -- What was asked, as it was asked: the same key with other content is an error.
    source text not null,
    target text not null,
    amount_centimos ledger.centimos_or_none not null,
    concerns uuid,
    -- What became of it. The date is not content: a repeat after midnight is still the same order.
    refusal text,
    business_date date,
    tax_centimos ledger.centimos_or_none not null default 0,
    target_tax_centimos ledger.centimos_or_none not null default 0,
    decided_at timestamptz not null default clock_timestamp(),
    xact bigint not null default audit.xact(),
    check (ledger.fits_kind(kind, concerns, business_date))
);

-- An order is undone once, and a hold used once, whatever reaches us at the same moment.
create unique index decision_concerns on ledger.decision (concerns)
where concerns is not null and refusal is null;

create domain ledger.purpose as text check (
    value in ('amount', 'tax', 'late', 'earned', 'rebate', 'unearned')
);

-- A transfer is one row with both sides, so half of it cannot be written. The transfers of one
-- decision are a linked group: all or none. There is no foreign key on the accounts: its share lock
-- on the cooperative's own rows would be taken by every payment at once. Nor on the decision, which
-- the same function has just written and nobody can take away: to lock it again is a tenth of the
-- work of a transfer. `ledger.verify` looks for strays of both.
create table ledger.transfer (
    decision_id bigint not null,
    leg smallint not null,
    debit_account_id bigint not null,
    credit_account_id bigint not null,
    amount_centimos ledger.moved_centimos not null,
    purpose ledger.purpose not null,
    xact bigint not null default audit.xact(),
    primary key (decision_id, leg),
    check (debit_account_id <> credit_account_id)
);

-- A member's statement: the newest transfers of an account, one index for each side.
create index transfer_debit on ledger.transfer (debit_account_id, decision_id);
create index transfer_credit on ledger.transfer (credit_account_id, decision_id);

-- Both sides of every transfer, signed as they change the balance.
create view ledger.entry as
select
    decision_id, leg, purpose,
    debit_account_id as account_id, -amount_centimos as amount_centimos
from ledger.transfer
union all
select decision_id, leg, purpose, credit_account_id, amount_centimos
from ledger.transfer;

-- The ITF of Ley 29667, by the date from which it holds: parts per million of each debit and each
-- credit of savings, rounded down to a multiple of the step.
create table ledger.itf_rate (
    effective_on date primary key,
    rate_ppm bigint not null check (rate_ppm >= 0),
    step_centimos bigint not null check (step_centimos > 0)
);

insert into ledger.itf_rate (effective_on, rate_ppm, step_centimos) values ('2011-04-01', 50, 5);

-- What was written stays written: the owner cannot change it by mistake either.
create function ledger.refuse_change() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception '%.% is append-only: % refused', tg_table_schema, tg_table_name, tg_op
        using errcode = 'restrict_violation', hint = 'Post a reversal instead.';
end
$$;

create trigger decision_append_only before update or delete or truncate on ledger.decision
for each statement execute function ledger.refuse_change();

create trigger transfer_append_only before update or delete or truncate on ledger.transfer
for each statement execute function ledger.refuse_change();

-- What every writing function answers. `outcome` is posted, refused or key_reused. `left_centimos`
-- is what the source had available where that was too little, or what a loan still owes after a
-- payment.
create type ledger.answer as (
    outcome text,
    code text,
    reference text,
    tax_centimos bigint,
    target_tax_centimos bigint,
    left_centimos bigint,
    created boolean
);

-- Functions are closed to everybody until they are granted by name.
alter default privileges in schema ledger revoke execute on functions from public;
revoke execute on all functions in schema ledger from public;
