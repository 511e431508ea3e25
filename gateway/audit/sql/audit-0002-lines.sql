-- What is sealed: each row of evidence as one line of text, the same on every machine.
-- depends: audit-0001-trail  ledger-0005-reversals  instructions-0002-life

-- A line is a JSON array as PostgreSQL prints jsonb: one space after each comma, no line break ever
-- (one within a text is \n), null for what is not there; numbers and booleans as such, everything
-- else as text: a date as YYYY-MM-DD, a moment as YYYY-MM-DDTHH:MI:SS.ffffffZ in UTC. It begins with
-- the row's own key and ends with the transaction that wrote it.
--
-- Everything here can be shown to an auditor: members are their opaque reference, phones and names
-- are in no line, so that a person can be forgotten and the seals still hold. Whoever verifies does
-- not ask these views, which the owner could have changed, but runs their text out of this file.

create view audit.line_deed as
select xact, jsonb_build_array(
    id, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), actor_kind, actor, action,
    member_ref, about, xact
)::text collate "C" as line
from audit.entry;

-- Not `closed_on`, which comes later. An account that is given to another member is found.
create view audit.line_account as
select xact, jsonb_build_array(id, code, kind, name, member_ref, xact)::text collate "C" as line
from ledger.account;

create view audit.line_decision as
select xact, jsonb_build_array(
    id, key, kind, source, target, amount_centimos, concerns, refusal, business_date,
    tax_centimos, target_tax_centimos,
    to_char(decided_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), xact
)::text collate "C" as line
from ledger.decision;

create view audit.line_transfer as
select xact, jsonb_build_array(
    decision_id, leg, debit_account_id, credit_account_id, amount_centimos, purpose, xact
)::text collate "C" as line
from ledger.transfer;

create view audit.line_hold as
select xact, jsonb_build_array(
    decision_id, account_id, amount_centimos,
    to_char(expires_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), xact
)::text collate "C" as line
from ledger.hold;

create view audit.line_hold_end as
select xact, jsonb_build_array(
    hold_id, state, to_char(resolved_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), xact
)::text collate "C" as line
from ledger.hold_resolution;

create view audit.line_instalment as
select xact, jsonb_build_array(
    loan_id, number, begins_on, due_on, principal_centimos, interest_centimos, xact
)::text collate "C" as line
from ledger.instalment;

create view audit.line_allocation as
select xact, jsonb_build_array(
    decision_id, loan_id, number, component, amount_centimos, business_date, xact
)::text collate "C" as line
from ledger.allocation;

-- Orders that have ended, by the transaction that ended them. Not from which phone and session they
-- came: that is forgotten after a time.
create view audit.line_order as
select ended_xact as xact, jsonb_build_array(
    key, operation, member_ref, counterparty_ref, source, target, amount_centimos, mode,
    business_date, channel, state, code, reference, tax_centimos, target_tax_centimos,
    bound_centimos, owed_centimos,
    to_char(accepted_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    to_char(settled_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), ended_xact
)::text collate "C" as line
from instructions.instruction
where ended_xact is not null;

-- "What was written since the last seal?" Rows lie in about the order of their transactions, so that
-- a BRIN index finds them and costs a posting next to nothing: it is kept up by the page, not the row.
create index entry_xact on audit.entry using brin (xact) with (autosummarize = on);
create index account_xact on ledger.account using brin (xact) with (autosummarize = on);
create index decision_xact on ledger.decision using brin (xact) with (autosummarize = on);
create index transfer_xact on ledger.transfer using brin (xact) with (autosummarize = on);
create index hold_xact on ledger.hold using brin (xact) with (autosummarize = on);
create index hold_resolution_xact on ledger.hold_resolution
using brin (xact) with (autosummarize = on);
create index instalment_xact on ledger.instalment using brin (xact) with (autosummarize = on);
create index allocation_xact on ledger.allocation using brin (xact) with (autosummarize = on);

-- The kinds of line, each of them a view above.
create function audit.kinds() returns text[]
language sql immutable
return array[
    'account', 'allocation', 'decision', 'deed', 'hold', 'hold_end', 'instalment', 'order',
    'transfer'
];
