-- People's data (Ley 29733): what is held of a member, and forgetting it.
-- depends: bank-0004-enrolment  bank-0008-claims  bank-0009-calls  instructions-0009-forgetting  notices-0009-forgetting  ledger-0009-forgetting

-- Guesses are of use against who guesses, for a time; the sweep asks for the oldest.
create index pin_attempt_claimed on bank.pin_attempt (claimed_at);

create function bank.forget_pin_attempts(p_before timestamptz, p_rows integer) returns bigint
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with gone as (
        delete from bank.pin_attempt
        where hop in (
            select a.hop from bank.pin_attempt as a where a.claimed_at < p_before
            order by a.claimed_at limit p_rows
            for update skip locked
        )
        returning 1
    )
    select count(*) from gone;
end;

-- Codes and PINs that were being chosen are of no use once they have run out. Of a member's newest
-- code its digits stay, which are no PIN of theirs.
create function bank.forget_codes(p_before timestamptz, p_rows integer) returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    gone bigint := 0;
    more bigint;
begin
    delete from bank.code_attempt
    where hop in (
        select a.hop from bank.code_attempt as a where a.claimed_at < p_before limit p_rows
        for update skip locked
    );
    get diagnostics gone = row_count;
    delete from bank.pin_pending
    where member_ref in (
        select p.member_ref from bank.pin_pending as p where p.expires_at < p_before limit p_rows
        for update skip locked
    );
    get diagnostics more = row_count;
    gone := gone + more;
    delete from bank.activation_code
    where id in (
        select c.id from bank.activation_code as c
        where c.expires_at < p_before and exists (
            select from bank.activation_code as n where n.member_ref = c.member_ref and n.id > c.id
        )
        limit p_rows
        for update skip locked
    );
    get diagnostics more = row_count;
    gone := gone + more;
    update bank.activation_code set dni_hash = null, code_hash = null
    where id in (
        select c.id from bank.activation_code as c
        where c.expires_at < p_before and num_nonnulls(c.dni_hash, c.code_hash) > 0
        limit p_rows
        for update skip locked
    );
    get diagnostics more = row_count;
    return gone + more;
end
$$;

-- Who was called back, and when, is of use for a complaint.
create function bank.forget_calls(p_before timestamptz, p_rows integer) returns bigint
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with gone as (
        delete from bank.call
        where id in (
            select c.id from bank.call as c where c.done_at < p_before limit p_rows
            for update skip locked
        )
        returning 1
    )
    select count(*) from gone;
end;

-- All that is held of a member, by kind; no secret. For staff who have the member before them: it is
-- written down that it was given.
create function bank.export_member(p_member_ref text, p_by text, p_now timestamptz) returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
    found jsonb;
begin
    select
        jsonb_build_object(
            'binding', (
                select coalesce(jsonb_agg(to_jsonb(m)), '[]')
                from bank.member as m where m.member_ref = p_member_ref
            ),
            'pin', (
                select coalesce(jsonb_agg(jsonb_build_object(
                    'attempts', c.attempts, 'locked_until', c.locked_until
                )), '[]')
                from bank.pin_credential as c where c.member_ref = p_member_ref
            ),
            'pin_attempts', (
                select coalesce(jsonb_agg(jsonb_build_object(
                    'at', a.claimed_at, 'right', a.right_pin
                ) order by a.claimed_at), '[]')
                from bank.pin_attempt as a where a.member_ref = p_member_ref
            ),
            'consents', (
                select coalesce(jsonb_agg(to_jsonb(c) order by c.id), '[]')
                from bank.consent as c where c.member_ref = p_member_ref
            ),
            'freezes', (
                select coalesce(jsonb_agg(to_jsonb(f) order by f.id), '[]')
                from bank.freeze as f where f.member_ref = p_member_ref
            ),
            'codes', (
                select coalesce(jsonb_agg(jsonb_build_object(
                    'purpose', c.purpose, 'issued_at', c.issued_at, 'issued_by', c.issued_by,
                    'expires_at', c.expires_at, 'used_at', c.used_at
                ) order by c.id), '[]')
                from bank.activation_code as c where c.member_ref = p_member_ref
            ),
            'requests', (
                select coalesce(jsonb_agg(to_jsonb(r) - 'detail' order by r.id), '[]')
                from bank.staff_request as r where r.member_ref = p_member_ref
            ),
            'claims', (
                select coalesce(jsonb_agg(
                    to_jsonb(c) - 'payee_ref' - 'account' - 'hold_key' order by c.id
                ), '[]')
                from bank.claim as c where c.member_ref = p_member_ref
            ),
            'calls', (
                select coalesce(jsonb_agg(to_jsonb(c) order by c.id), '[]')
                from bank.call as c where c.member_ref = p_member_ref
            ),
            'sim', (
                select coalesce(jsonb_agg(to_jsonb(a)), '[]')
                from bank.member as m
                join sim.answer as a on a.msisdn = m.msisdn
                where m.member_ref = p_member_ref
            ),
            'deeds', (
                select coalesce(jsonb_agg(jsonb_build_object(
                    'at', e.at, 'by', case when e.actor_kind = 'member' then 'member'
                        else e.actor_kind end, 'action', e.action
                ) order by e.id), '[]')
                from audit.entry as e where e.member_ref = p_member_ref
            )
        )
        || instructions.all_of(p_member_ref)
        || core.all_of(p_member_ref)
        || notices.all_of(
            p_member_ref, (select m.msisdn from bank.member as m where m.member_ref = p_member_ref)
        )
        || ledger.all_of(p_member_ref)
    into found;
    perform audit.write('staff', p_by, 'member.exported', p_member_ref, '{}', p_now);
    return found;
end
$$;

-- Forget a member: two of staff, at once or not at all. What the law and the books require stays
-- under the opaque reference: postings, orders, consents, the trail. Answers what became of it:
-- erased, open_orders (their end is owed to the member first) or nobody; and of the person in the
-- own ledger: see ledger.forget_person.
create function bank.erase_member(
    p_member_ref text, p_by text, p_approved_by text, p_now timestamptz
) returns table (became text, person text)
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
    phone text;
begin
    if coalesce(audit.same_person(p_by, p_approved_by), true)
        or btrim(p_by) = '' or btrim(p_approved_by) = ''
    then
        raise exception 'two of staff erase a member, not one' using errcode = 'check_violation';
    end if;
    select m.msisdn into phone from bank.member as m where m.member_ref = p_member_ref for update;
    if not found then
        return query select 'nobody', null::text;
        return;
    end if;
    if instructions.any_open(p_member_ref) then
        return query select 'open_orders', null::text;
        return;
    end if;
    delete from bank.pin_attempt where member_ref = p_member_ref;
    delete from bank.pin_credential where member_ref = p_member_ref;
    delete from bank.pin_pending where member_ref = p_member_ref;
    delete from bank.code_attempt as a using bank.activation_code as c
    where c.member_ref = p_member_ref and a.code_id = c.id;
    delete from bank.activation_code where member_ref = p_member_ref;
    delete from bank.call where member_ref = p_member_ref;
    delete from bank.staff_request where member_ref = p_member_ref and state = 'waiting';
    update bank.staff_request set detail = '{}' where member_ref = p_member_ref;
    perform sim.forget(phone);
    delete from bank.member where member_ref = p_member_ref;
    update bank.freeze set session_id = '' where member_ref = p_member_ref;
    perform instructions.erase_origins(p_member_ref);
    perform core.erase(p_member_ref);
    perform notices.erase(p_member_ref, phone, p_now);
    perform audit.write(
        'staff', p_by, 'member.erased', p_member_ref,
        jsonb_build_object('approved_by', p_approved_by), p_now
    );
    return query select 'erased', ledger.forget_person(p_member_ref, p_now);
end
$$;

revoke execute on function
    bank.forget_pin_attempts, bank.forget_codes, bank.forget_calls, bank.export_member,
    bank.erase_member
from public;
grant execute on function bank.forget_pin_attempts, bank.forget_codes, bank.forget_calls
to chaski_app;
