-- The life of a money order: taken once for its key, and never forgotten.
-- depends: notices-0001-outbox  audit-0001-trail

-- accepted  limits are used up and funds reserved; the core is being asked, or will be
-- unknown   the core was asked and gave no answer, or not its last word
-- posted    the money moved
-- refused   it did not move and never will under this key, for the reason `code`
-- closed    nobody may carry this key out any more
--
-- `member_ref` and the account codes are the core's own names: no foreign key leads there, so that
-- an own ledger and a remote one are reached through the same door.

create schema instructions;

grant usage on schema instructions to chaski_app;

-- Whether what an order says of itself fits together. All of it in one function, since PostgreSQL reads
-- a table's checks anew in every statement that writes, and a function's text once in a connection.
create function instructions.is_sound(
    p_state text, p_code text, p_settled_at timestamptz, p_operation text, p_member_ref text,
    p_source text, p_target text, p_amount_centimos bigint, p_mode text, p_business_date date,
    p_in_flight integer
) returns boolean
language plpgsql immutable
as $$
begin
    return p_in_flight >= 0
        and coalesce(p_amount_centimos > 0, true)
        and coalesce(p_mode in ('part', 'payoff'), true)
        and (p_state in ('posted', 'refused', 'closed')) = (p_settled_at is not null)
        and case p_state
            when 'accepted' then p_code is null
            when 'unknown' then p_code is null
            when 'posted' then p_code is null
            when 'refused' then p_code is not null
            -- What was closed has a code only where nobody asked for it: it expired.
            when 'closed' then coalesce(p_code, 'expired') = 'expired'
            else false
        end
        and (
            p_state = 'closed'
            or num_nulls(
                p_operation, p_member_ref, p_source, p_target, p_amount_centimos, p_business_date
            ) = 0
        );
end
$$;

create table instructions.instruction (
    key uuid primary key,
    -- The content. A key that was closed before any order came has none.
    operation text,
    member_ref text,
    counterparty_ref text, -- whose account the target is; null where it is nobody's
    source text,
    target text,
    amount_centimos bigint,
    mode text, -- part or payoff: how a loan is repaid; null: a transfer
    business_date date,
    -- Where it came from, for whoever finds this session's outcome after the short memory was lost.
    channel text,
    provider_account text,
    session_id text,
    msisdn text,
    -- What became of it.
    state text not null,
    code text,
    reference text,
    tax_centimos bigint not null default 0, -- what the source paid beside the amount
    target_tax_centimos bigint not null default 0, -- what the target's owner paid, where known
    bound_centimos bigint, -- the limit or the funds that a refusal ran into
    bound text, -- which limit it was: operation, day, month, new_payee
    left_centimos bigint, -- what was left of it
    to_new_payee boolean, -- whether it counted as money to somebody new
    owed_centimos bigint, -- what a repaid loan still owes, where known
    accepted_at timestamptz not null,
    -- Over a remote core alone, null elsewhere: its turn among the orders of its accounts, how often
    -- the core was asked, from when on it may be asked again, and whether a person at the core has
    -- to agree.
    turn bigint,
    attempts integer,
    next_try_at timestamptz,
    awaits_approval boolean,
    -- When the core had said what the source holds, where that was not at the order itself.
    known_at timestamptz,
    -- When somebody last began to ask the core, and who; null: nobody is asking it now.
    handed_at timestamptz,
    asker text,
    -- Requests to the core that may still take effect, however late. Only "later" takes one back.
    in_flight integer not null default 0,
    -- When somebody was first told that it is under way: from then on they are owed its end.
    pending_since timestamptz,
    settled_at timestamptz,
    ended_xact bigint, -- the transaction that ended it, for the seals; written by a trigger
    constraint instruction_is_sound check (
        instructions.is_sound(
            state, code, settled_at, operation, member_ref, source, target, amount_centimos, mode,
            business_date, in_flight
        )
    )
);

-- Whichever function ends an order: what has ended is sealed (gateway/audit/README.md).
create function instructions.note_end() returns trigger
language plpgsql
as $$
begin
    new.ended_xact := audit.xact();
    return new;
end
$$;

create trigger instruction_ends before insert or update of settled_at on instructions.instruction
for each row when (new.settled_at is not null and new.ended_xact is null)
execute function instructions.note_end();

-- A member's own orders, newest first: "again?" looks at the last minutes, payees at the last ones.
create index instruction_member on instructions.instruction (member_ref, accepted_at);

-- Whether a payee is new: the first money that reached them.
create index instruction_payee on instructions.instruction
(member_ref, counterparty_ref, accepted_at) where state = 'posted';

-- The outcome of a session that the short memory has lost.
create index instruction_origin on instructions.instruction (session_id, accepted_at);

-- What is still open of an account (its funds are spoken for), and what the sweep must settle. Over
-- the own ledger no order is ever open, and this index stays empty.
create index instruction_open on instructions.instruction (source)
where state in ('accepted', 'unknown');

-- The same of the account that gets it: orders of one account are given to a core one by one.
create index instruction_open_target on instructions.instruction (target)
where state in ('accepted', 'unknown');

-- A day's orders, for whoever compares them with a core's books; those that ended in some hours, for
-- the programme's sums and for what is forgotten; what was written since the last seal. Rows lie in
-- about the order of all three, so one BRIN index finds them, and is kept up by the page, not the
-- row: as an index of its own each of them cost every order more than their pages are worth.
create index instruction_when on instructions.instruction
using brin (business_date, settled_at, ended_xact) with (autosummarize = on);

-- Drawn under the locks of an order's accounts, so that it tells who comes first there.
create sequence instructions.turn;

-- What every function answers about one order. `created` is false where an earlier call had
-- decided.
create type instructions.result as (
    key uuid,
    created boolean, -- where only a look was asked for: whether its member has given none since
    state text, -- an instruction's state, or key_reused: the key came before with other content
    code text,
    reference text,
    operation text,
    member_ref text,
    counterparty_ref text,
    source text,
    target text,
    mode text,
    amount_centimos bigint,
    tax_centimos bigint,
    bound_centimos bigint,
    bound text,
    left_centimos bigint,
    owed_centimos bigint,
    accepted_at timestamptz,
    settled_at timestamptz,
    known_at timestamptz
);


