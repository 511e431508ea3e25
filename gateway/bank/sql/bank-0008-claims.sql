-- "I sent it to the wrong person": what a member asks back, until staff have settled it.
-- depends: bank-0003-consents

create table bank.claim (
    -- The number that the member is told, and reads out over the phone.
    id bigint generated always as identity (start with 1001) primary key,
    member_ref text not null,
    -- One claim for a transfer, ever: the unique index keeps the second of two out.
    instruction_key uuid not null unique,
    -- Whose account got it, and how much: what a hold is placed on.
    payee_ref text not null,
    account text not null,
    amount_centimos bigint not null check (amount_centimos > 0),
    state text not null default 'open' check (state in ('open', 'resolved')),
    opened_at timestamptz not null,
    -- What is held at the other side; the ledger ends the hold by itself at `held_until`.
    hold_key uuid,
    held_centimos bigint check (held_centimos > 0),
    held_until timestamptz,
    resolved_at timestamptz,
    resolved_by text,
    how text check (how in ('returned', 'refused', 'withdrawn')),
    check (num_nulls(hold_key, held_centimos, held_until) in (0, 3)),
    check ((state = 'resolved') = (resolved_at is not null)),
    check (num_nulls(resolved_at, resolved_by, how) in (0, 3))
);

-- Staff's list.
create index claim_open on bank.claim (id) where state = 'open';

-- A member claims a transfer of theirs since `p_since`. No row: there is none such. `created` is
-- false where it was claimed before.
create function bank.open_claim(
    p_member_ref text, p_instruction uuid, p_channel text, p_since timestamptz, p_now timestamptz
) returns table (
    claim bigint, created boolean, payee_ref text, account text, amount_centimos bigint
)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    sent instructions.result;
    opened bigint;
begin
    select * into sent from instructions.became(p_instruction, p_member_ref, p_now);
    if sent.state is distinct from 'posted' or sent.operation <> 'transfers.send'
        or sent.counterparty_ref = p_member_ref or sent.accepted_at < p_since
    then
        return;
    end if;
    insert into bank.claim as c (
        member_ref, instruction_key, payee_ref, account, amount_centimos, opened_at
    )
    values (
        p_member_ref, p_instruction, sent.counterparty_ref, sent.target, sent.amount_centimos, p_now
    )
    on conflict (instruction_key) do nothing
    returning c.id into opened;
    if opened is not null then
        perform notices.tell('claim_opened', p_member_ref, jsonb_build_object(
            'number', opened::text, 'amount_centimos', sent.amount_centimos
        ));
        perform audit.write(
            'member', p_member_ref, 'claim.opened', p_member_ref,
            jsonb_build_object(
                'claim', opened, 'instruction', p_instruction, 'channel', p_channel
            ),
            p_now
        );
    end if;
    return query
        select c.id, opened is not null, c.payee_ref, c.account, c.amount_centimos
        from bank.claim as c where c.instruction_key = p_instruction;
end
$$;

-- A hold was placed. Answers false where the claim is settled, or has a hold: then it is not its.
create function bank.note_hold(
    p_claim bigint, p_hold uuid, p_centimos bigint, p_until timestamptz, p_actor_kind text,
    p_actor text, p_now timestamptz
) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    claimant text;
begin
    update bank.claim as c
    set hold_key = p_hold, held_centimos = p_centimos, held_until = p_until
    where c.id = p_claim and c.state = 'open' and c.hold_key is null
    returning c.member_ref into claimant;
    if claimant is null then
        return false;
    end if;
    perform audit.write(
        p_actor_kind, p_actor, 'claim.held', claimant,
        jsonb_build_object('claim', p_claim, 'hold', p_hold, 'until', p_until), p_now
    );
    return true;
end
$$;

-- The same, for the application: by the cooperative's policy, at once.
create function bank.note_hold_by_policy(
    p_claim bigint, p_hold uuid, p_centimos bigint, p_until timestamptz, p_now timestamptz
) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    return bank.note_hold(p_claim, p_hold, p_centimos, p_until, 'system', 'claims', p_now);
end
$$;

-- The funds are free again: staff gave them back.
create function bank.note_release(p_claim bigint, p_by text, p_now timestamptz) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    claimant text;
begin
    update bank.claim as c
    set hold_key = null, held_centimos = null, held_until = null
    where c.id = p_claim and c.hold_key is not null
    returning c.member_ref into claimant;
    if claimant is null then
        return false;
    end if;
    perform audit.write(
        'staff', p_by, 'claim.released', claimant, jsonb_build_object('claim', p_claim), p_now
    );
    return true;
end
$$;

-- Holds that ran out (the ledger has ended them): forget them. Answers how many.
create function bank.forget_holds(p_now timestamptz, p_limit integer) returns bigint
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with gone as (
        update bank.claim as c set hold_key = null, held_centimos = null, held_until = null
        where c.id in (
            select o.id from bank.claim as o
            where o.held_until <= p_now
            order by o.id
            limit p_limit
            for update skip locked
        )
        returning c.id, c.member_ref
    ),

    written as (
        select audit.write(
            'system', 'claims', 'claim.released', g.member_ref,
            jsonb_build_object('claim', g.id), p_now
        )
        from gone as g
    )

    select count(*) from written;
end;

-- The sweep's.
create index claim_held on bank.claim (held_until) where held_until is not null;

-- Staff have settled it. Answers whether it was open.
create function bank.resolve_claim(p_claim bigint, p_how text, p_by text, p_now timestamptz)
returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    claimant text;
begin
    update bank.claim as c
    set state = 'resolved', resolved_at = p_now, resolved_by = p_by, how = p_how
    where c.id = p_claim and c.state = 'open'
    returning c.member_ref into claimant;
    if claimant is null then
        return false;
    end if;
    perform audit.write(
        'staff', p_by, 'claim.resolved', claimant,
        jsonb_build_object('claim', p_claim, 'how', p_how), p_now
    );
    return true;
end
$$;

-- What a hold is placed on, or ended.
create function bank.claim_to_hold(p_claim bigint)
returns table (
    state text, payee_ref text, account text, amount_centimos bigint, hold_key uuid
)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select c.state, c.payee_ref, c.account, c.amount_centimos, c.hold_key
    from bank.claim as c where c.id = p_claim;
end;

revoke execute on function
    bank.claim_to_hold, bank.open_claim, bank.note_hold, bank.note_hold_by_policy, bank.note_release, bank.forget_holds,
    bank.resolve_claim
from public;
grant execute on function bank.open_claim, bank.note_hold_by_policy, bank.forget_holds to chaski_app;
