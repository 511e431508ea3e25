-- Giving back what an order moved: one of staff asks, another approves, the core reverses.
-- depends: bank-0004-enrolment  instructions-0003-reading  notices-0001-outbox

create table bank.reversal (
    -- The request that two of staff agreed on.
    request_id bigint primary key references bank.staff_request,
    instruction_key uuid not null,
    -- Under which the core reverses: however often it is asked, once.
    key uuid not null unique default gen_random_uuid(),
    reason text not null check (reason in ('wrong_person', 'twice', 'fraud', 'our_fault')),
    claim bigint,
    state text not null default 'waiting' check (state in ('waiting', 'posted', 'refused')),
    code text,
    reference text,
    ended_at timestamptz,
    check ((state = 'waiting') = (ended_at is null))
);

-- One at a time for an order; one that was refused may be asked for again.
create unique index reversal_of_order on bank.reversal (instruction_key) where state <> 'refused';

-- Ask for it. Answers the request's number; null where the order never moved anything, or it was
-- asked for before.
create function bank.ask_reversal(
    p_instruction uuid, p_reason text, p_claim bigint, p_by text, p_now timestamptz
) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    owner text;
    asked bigint;
begin
    select i.member_ref into owner from instructions.instruction as i
    where i.key = p_instruction and i.state = 'posted' for update;
    if owner is null or exists (
        select from bank.reversal as r
        where r.instruction_key = p_instruction and r.state <> 'refused'
    ) then
        return null;
    end if;
    asked := bank.ask_staff(
        'reversal', owner, jsonb_build_object('instruction', p_instruction, 'reason', p_reason),
        p_by, p_now
    );
    insert into bank.reversal (request_id, instruction_key, reason, claim)
    values (asked, p_instruction, p_reason, p_claim);
    return asked;
end
$$;

-- Somebody else agrees, or asks the core once more where its answer was lost. `verdict` is done,
-- none, decided (refused, or ended) or same_person; with done comes what the core is asked.
create function bank.approve_reversal(p_request bigint, p_by text, p_now timestamptz)
returns table (
    verdict text, key uuid, instruction_key uuid, source text, target text, amount_centimos bigint,
    mode text, business_date date, member_ref text
)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    asked bank.reversal;
    said text;
    request_state text;
begin
    select * into asked from bank.reversal as r where r.request_id = p_request for update;
    if not found then
        return query select 'none', null::uuid, null::uuid, null::text, null::text, null::bigint,
            null::text, null::date, null::text;
        return;
    end if;
    select s.state into request_state from bank.staff_request as s where s.id = p_request;
    if request_state = 'approved' and asked.state = 'waiting' then
        said := 'done';  -- the core's answer was lost: the same key again
    else
        select d.verdict into said
        from bank.decide_staff_request(p_request, true, p_by, p_now) as d;
    end if;
    return query
        select
            said, asked.key, i.key, i.source, i.target, i.amount_centimos, i.mode, i.business_date,
            i.member_ref
        from instructions.instruction as i where i.key = asked.instruction_key;
end
$$;

-- Whose money moved learns it: who gave the order, and who was paid by it.
create function bank.tell_reversed(p_instruction uuid, p_reference text) returns void
language plpgsql
as $$
declare
    i instructions.instruction;
    paid text;
begin
    select * into strict i from instructions.instruction as k where k.key = p_instruction;
    paid := nullif(i.counterparty_ref, i.member_ref);
    perform notices.tell_both(
        'order_reversed', i.member_ref, jsonb_build_object(
            'amount_centimos', i.amount_centimos, 'original', i.reference,
            'reference', p_reference
        ),
        'transfer_taken_back', paid, jsonb_build_object(
            'amount_centimos', i.amount_centimos, 'reference', p_reference,
            'party_ref', i.member_ref
        )
    );
end
$$;

-- What the core said. Answers whether it was the first to say so.
create function bank.note_reversal(
    p_request bigint, p_posted boolean, p_code text, p_reference text, p_by text, p_now timestamptz
) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    ended bank.reversal;
begin
    update bank.reversal as r
    set state = case when p_posted then 'posted' else 'refused' end,
        code = p_code, reference = p_reference, ended_at = p_now
    where r.request_id = p_request and r.state = 'waiting'
    returning r.* into ended;
    if not found then
        return false;
    end if;
    perform audit.write(
        'staff', p_by,
        case when p_posted then 'order.reversed' else 'order.reversal_refused' end,
        (select s.member_ref from bank.staff_request as s where s.id = p_request),
        jsonb_strip_nulls(jsonb_build_object(
            'request', p_request, 'instruction', ended.instruction_key, 'reversal', ended.key,
            'code', p_code
        )),
        p_now
    );
    if p_posted then
        perform bank.tell_reversed(ended.instruction_key, p_reference);
    end if;
    return true;
end
$$;

-- The second person said no: it may be asked for again.
create function bank.drop_reversal() returns trigger
language plpgsql
as $$
begin
    update bank.reversal as r set state = 'refused', code = 'declined', ended_at = new.decided_at
    where r.request_id = new.id and r.state = 'waiting';
    return new;
end
$$;

create trigger reversal_declined after update of state on bank.staff_request
for each row when (new.kind = 'reversal' and new.state = 'refused')
execute function bank.drop_reversal();

revoke execute on function
    bank.ask_reversal, bank.approve_reversal, bank.tell_reversed, bank.note_reversal,
    bank.drop_reversal
from public;
