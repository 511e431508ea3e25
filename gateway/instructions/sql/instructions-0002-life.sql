-- Accept, settle, close; and execute, which is all of it around a posting in this database.
-- depends: instructions-0001-tables  ledger-0004-loans

-- The order of locks, the same everywhere: the key, its row, the member, the usage, the accounts, the
-- balances. The key's lock is an advisory one, since at first there is no row: two calls with one
-- key queue here, and the second finds what the first decided.

create function instructions.lock_key(p_key uuid) returns void
language plpgsql
as $$
begin
    perform pg_advisory_xact_lock(uuid_hash_extended(p_key, 0));
end
$$;

create function instructions.answer(i instructions.instruction, p_created boolean)
returns instructions.result
language plpgsql immutable
as $$
begin
    return (
        i.key, p_created, i.state, i.code, i.reference, i.operation, i.member_ref, i.counterparty_ref,
        i.source, i.target, i.mode, i.amount_centimos, i.tax_centimos, i.bound_centimos,
        i.bound, i.left_centimos, i.owed_centimos, i.accepted_at, i.settled_at, i.known_at
    )::instructions.result;
end
$$;

-- What this key became before; null where it is new. The date, the origin and a "yes, again" are
-- not content: a repeat after midnight is still the same order.
create function instructions.earlier(draft instructions.instruction) returns instructions.result
language plpgsql
as $$
declare
    i instructions.instruction;
    answer instructions.result;
begin
    select * into i from instructions.instruction as k where k.key = draft.key;
    if not found then
        return null;
    end if;
    if i.operation is not null and (
        (i.operation, i.member_ref, i.source, i.target, i.amount_centimos)
        <> (draft.operation, draft.member_ref, draft.source, draft.target, draft.amount_centimos)
        or i.mode is distinct from draft.mode
    ) then
        answer.created := false;
        answer.state := 'key_reused';
        return answer;
    end if;
    return instructions.answer(instructions.tell_pending(i, draft.accepted_at), false);
end
$$;

-- Whoever is answered about an open order is told "en proceso", and so is owed its end. Answers the
-- order as it is: it may have ended while this waited for its row, and then that is what is told.
create function instructions.tell_pending(i instructions.instruction, p_now timestamptz)
returns instructions.instruction
language plpgsql
as $$
declare
    told instructions.instruction;
begin
    if i.state not in ('accepted', 'unknown') or i.pending_since is not null then
        return i;
    end if;
    update instructions.instruction as o set pending_since = coalesce(o.pending_since, p_now)
    where o.key = i.key and o.state in ('accepted', 'unknown')
    returning o.* into told;
    if not found then
        select * into strict told from instructions.instruction as o where o.key = i.key;
    end if;
    return told;
end
$$;

create function instructions.refuse(
    i instructions.instruction, p_code text, p_bound_centimos bigint
) returns instructions.instruction
language plpgsql immutable
as $$
begin
    i.state := 'refused';
    i.code := p_code;
    i.bound_centimos := p_bound_centimos;
    i.settled_at := i.accepted_at;
    return i;
end
$$;

-- The facts of a posted order, for everybody whom it concerns.
create function instructions.tell_posted(i instructions.instruction) returns void
language plpgsql
as $$
begin
    if i.mode is not null then
        perform notices.tell('loan_paid', i.member_ref, jsonb_build_object(
            'amount_centimos', i.amount_centimos, 'reference', i.reference,
            'owed_centimos', i.owed_centimos
        ));
    elsif i.counterparty_ref = i.member_ref then
        perform notices.tell('transfer_own', i.member_ref, jsonb_build_object(
            'amount_centimos', i.amount_centimos, 'reference', i.reference
        ));
    else
        perform notices.tell_both(
            'transfer_sent', i.member_ref, jsonb_build_object(
                'amount_centimos', i.amount_centimos, 'tax_centimos', i.tax_centimos,
                'reference', i.reference, 'party_ref', i.counterparty_ref
            ),
            'transfer_received', i.counterparty_ref, jsonb_build_object(
                'amount_centimos', i.amount_centimos, 'tax_centimos', i.target_tax_centimos,
                'reference', i.reference, 'party_ref', i.member_ref
            )
        );
    end if;
end
$$;

-- An order that was under way and came to nothing: whoever was told "en proceso" learns it.
create function instructions.tell_refused(i instructions.instruction) returns void
language plpgsql
as $$
begin
    if i.pending_since is not null then
        perform notices.tell('order_refused', i.member_ref, jsonb_build_object(
            'code', coalesce(i.code, 'closed'), 'operation', i.operation,
            'amount_centimos', i.amount_centimos
        ));
    end if;
end
$$;

-- What the ledger in this database answered, written on the draft.
create function instructions.with_outcome(i instructions.instruction, p_answer ledger.answer)
returns instructions.instruction
language plpgsql immutable
as $$
begin
    if p_answer.outcome = 'refused' then
        return instructions.refuse(i, p_answer.code, case
            when p_answer.code = 'insufficient_funds' then greatest(0, p_answer.left_centimos)
        end);
    end if;
    i.state := 'posted';
    i.reference := p_answer.reference;
    i.tax_centimos := p_answer.tax_centimos;
    i.target_tax_centimos := p_answer.target_tax_centimos;
    i.owed_centimos := case when i.mode is not null then p_answer.left_centimos end;
    i.settled_at := i.accepted_at;
    return i;
end
$$;

-- Over the own ledger: limits, posting, the order's row and the receipts in one call, one commit.
create function instructions.execute(
    p_key uuid, p_operation text, p_member_ref text, p_counterparty_ref text,
    p_source text, p_target text, p_amount_centimos bigint, p_mode text, p_business_date date,
    p_channel text, p_provider_account text, p_session_id text, p_msisdn text,
    p_again_ok boolean, p_again_since timestamptz, p_payee_known_since timestamptz,
    p_now timestamptz
) returns instructions.result
language plpgsql security definer
set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
declare
    i instructions.instruction;
    answer ledger.answer;
    earlier instructions.result;
begin
    i := instructions.draft(
        p_key, p_operation, p_member_ref, p_counterparty_ref, p_source, p_target, p_amount_centimos,
        p_mode, p_business_date, p_channel, p_provider_account, p_session_id, p_msisdn, p_now
    );
    perform instructions.lock_key(p_key);
    earlier := instructions.earlier(i);
    if earlier.state is not null then
        return earlier;
    end if;
    i := instructions.admit(i, p_again_ok, p_again_since, p_payee_known_since);
    if i.state = 'accepted' then
        answer := ledger.post(
            p_key, p_source, p_target, p_amount_centimos, p_mode, p_business_date
        );
        if answer.outcome <> 'posted' then
            perform instructions.give_back(i);
        end if;
        if answer.outcome = 'key_reused' then
            earlier.created := false;
            earlier.state := 'key_reused';
            return earlier;
        end if;
        i := instructions.with_outcome(i, answer);
    end if;
    i.ended_xact := audit.xact(); -- as the trigger would: it is not called then
    insert into instructions.instruction select i.*;
    if i.state = 'posted' then
        perform instructions.tell_posted(i);
    end if;
    return instructions.answer(i, true);
end
$$;

create function instructions.draft(
    p_key uuid, p_operation text, p_member_ref text, p_counterparty_ref text,
    p_source text, p_target text, p_amount_centimos bigint, p_mode text, p_business_date date,
    p_channel text, p_provider_account text, p_session_id text, p_msisdn text, p_now timestamptz
) returns instructions.instruction
language plpgsql immutable
as $$
declare
    i instructions.instruction;
begin
    i.key := p_key;
    i.operation := p_operation;
    i.member_ref := p_member_ref;
    i.counterparty_ref := p_counterparty_ref;
    i.source := p_source;
    i.target := p_target;
    i.amount_centimos := p_amount_centimos;
    i.mode := p_mode;
    i.business_date := p_business_date;
    i.channel := p_channel;
    i.provider_account := p_provider_account;
    i.session_id := p_session_id;
    i.msisdn := p_msisdn;
    i.tax_centimos := 0;
    i.target_tax_centimos := 0;
    i.in_flight := 0;
    i.accepted_at := p_now;
    return i;
end
$$;

-- Over a remote core: take the order. `instructions.take_turn` gives it to whoever is to ask the core.
-- `p_available_centimos` is what the core said at `p_as_of` that the source has; what its orders
-- take beside is spoken for. Null: nobody knows, and the core is the one to say so. `p_remembered`:
-- it said so some time ago, and a refusal has to say when. `p_pending_shown`: see
-- `instructions.spoken_for`.
create function instructions.accept(
    p_key uuid, p_operation text, p_member_ref text, p_counterparty_ref text,
    p_source text, p_target text, p_amount_centimos bigint, p_mode text, p_business_date date,
    p_channel text, p_provider_account text, p_session_id text, p_msisdn text,
    p_again_ok boolean, p_again_since timestamptz, p_payee_known_since timestamptz,
    p_now timestamptz, p_available_centimos bigint, p_as_of timestamptz, p_remembered boolean,
    p_pending_shown boolean
) returns instructions.result
language plpgsql security definer
set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
declare
    i instructions.instruction;
    earlier instructions.result;
    free bigint;
begin
    i := instructions.draft(
        p_key, p_operation, p_member_ref, p_counterparty_ref, p_source, p_target, p_amount_centimos,
        p_mode, p_business_date, p_channel, p_provider_account, p_session_id, p_msisdn, p_now
    );
    perform instructions.lock_key(p_key);
    earlier := instructions.earlier(i);
    if earlier.state is not null then
        return earlier;
    end if;
    i := instructions.admit(i, p_again_ok, p_again_since, p_payee_known_since);
    if i.state = 'accepted' then
        perform instructions.lock_accounts(p_source, p_target);
        i.turn := nextval('instructions.turn');
        i.attempts := 0;
        i.next_try_at := p_now;
        select greatest(0, p_available_centimos - coalesce(sum(s.taken_centimos), 0)) into free
        from instructions.spoken_for(p_member_ref, p_as_of, p_pending_shown) as s
        where s.source = p_source;
        if p_available_centimos is not null and free < p_amount_centimos then
            perform instructions.give_back(i);
            i := instructions.refuse(i, 'insufficient_funds', free);
            i.known_at := case when p_remembered then p_as_of end;
        end if;
    end if;
    insert into instructions.instruction select i.*;
    return instructions.answer(i, true);
end
$$;

-- What the core answered to `p_asker`. `p_outcome`: posted, refused; unknown (no answer, or not the
-- last word), approval (a person there has to agree); later (certainly not posted), unasked (nobody
-- even tried). After the last four it is tried again, after `p_first`, then twice as long, until
-- `p_most`. An order that has ended keeps its end, whatever arrives afterwards; and of what is no
-- end only the last asker's word counts, once: a "later" takes one request back, and not two.
create function instructions.settle(
    p_key uuid, p_asker text, p_outcome text, p_code text, p_reference text, p_tax_centimos bigint,
    p_first interval, p_most interval, p_now timestamptz
) returns instructions.result
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    i instructions.instruction;
    ends constant boolean := p_outcome in ('posted', 'refused');
begin
    perform instructions.lock_key(p_key);
    select * into strict i from instructions.instruction as k where k.key = p_key for no key update;
    if i.state not in ('accepted', 'unknown') or (not ends and i.asker is distinct from p_asker) then
        return instructions.answer(instructions.tell_pending(i, p_now), false);
    end if;
    i.handed_at := null;
    i.asker := null;
    if ends then
        i.state := p_outcome;
        i.code := p_code;
        i.reference := p_reference;
        i.tax_centimos := coalesce(p_tax_centimos, 0);
        i.settled_at := p_now;
    else
        i.pending_since := coalesce(i.pending_since, p_now);
        i.next_try_at := p_now + instructions.wait_after(i.attempts, p_first, p_most);
        if p_outcome in ('unknown', 'approval') then
            i.state := 'unknown';
            i.awaits_approval := p_outcome = 'approval' or coalesce(i.awaits_approval, false);
        else
            i.in_flight := i.in_flight - 1;
            i.attempts := i.attempts - (p_outcome = 'unasked')::integer;
        end if;
    end if;
    perform instructions.keep(i);
    return instructions.answer(i, true);
end
$$;

-- Write an open order's next state, and what follows from it.
create function instructions.keep(i instructions.instruction) returns void
language plpgsql
as $$
begin
    update instructions.instruction set
        state = i.state,
        code = i.code,
        reference = i.reference,
        tax_centimos = i.tax_centimos,
        attempts = i.attempts,
        next_try_at = i.next_try_at,
        awaits_approval = i.awaits_approval,
        handed_at = i.handed_at,
        asker = i.asker,
        in_flight = i.in_flight,
        pending_since = i.pending_since,
        settled_at = i.settled_at
    where key = i.key;
    if i.state = 'posted' then
        perform instructions.tell_posted(i);
    elsif i.state in ('refused', 'closed') then
        perform instructions.give_back(i);
        perform instructions.tell_refused(i);
    end if;
end
$$;

-- Make sure that a key never moves money, or learn what it did. An order of which one request may
-- still reach the core cannot be closed from here: it answers its state, and its end comes by SMS.
create function instructions.close(p_key uuid, p_now timestamptz) returns instructions.result
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    i instructions.instruction;
begin
    perform instructions.lock_key(p_key);
    select * into i from instructions.instruction as k where k.key = p_key for no key update;
    if not found then
        i.key := p_key;
        i.state := 'closed';
        i.tax_centimos := 0;
        i.target_tax_centimos := 0;
        i.in_flight := 0;
        i.accepted_at := p_now;
        i.settled_at := p_now;
        insert into instructions.instruction select i.*;
        return instructions.answer(i, true);
    end if;
    if i.state = 'accepted' and i.in_flight = 0 then
        i.state := 'closed';
        i.settled_at := p_now;
        perform instructions.keep(i);
        return instructions.answer(i, true);
    end if;
    return instructions.answer(instructions.tell_pending(i, p_now), false);
end
$$;

revoke execute on all functions in schema instructions from public;
grant execute on function instructions.execute, instructions.accept, instructions.settle,
    instructions.close to chaski_app;
