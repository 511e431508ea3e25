-- Numbers that go from hand to hand: for the cooperative's staff, not for the application.
-- depends: bank-0004-enrolment  sim-0001-answers

-- A code is good for one number; it is not good again when a member comes back to that number.
create function bank.revoke_codes(p_member_ref text, p_now timestamptz) returns void
language sql volatile
begin atomic
    update bank.activation_code set revoked_at = p_now, dni_hash = null, code_hash = null
    where member_ref = p_member_ref and used_at is null and revoked_at is null;
end;

-- A member has another number from now on: `moved`, `no_member` (nobody has the old one) or `taken`
-- (the new one is a member's). Whoever gets the old number is a stranger to us.
create function bank.move_number(
    p_old text, p_new text, p_by text, p_careful_until timestamptz, p_now timestamptz
) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    owner text;
begin
    select m.member_ref into owner from bank.member as m where m.msisdn = p_old for update;
    if owner is null then
        return 'no_member';
    end if;
    if exists (select from bank.member as m where m.msisdn = p_new) then
        return 'taken';
    end if;
    update bank.member set msisdn = p_new where member_ref = owner;
    perform bank.revoke_codes(owner, p_now);
    perform sim.forget(p_old);
    perform sim.forget(p_new);
    perform instructions.be_careful(owner, 'number_changed', 'careful', p_careful_until, p_now);
    perform audit.write('staff', p_by, 'number.moved', owner, '{}', p_now);
    return 'moved';
end
$$;

-- A member has no number any more: `released`, or `no_member`. What is theirs stays theirs.
create function bank.release_number(p_msisdn text, p_by text, p_now timestamptz) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    owner text;
begin
    select m.member_ref into owner from bank.member as m where m.msisdn = p_msisdn for update;
    if owner is null then
        return 'no_member';
    end if;
    update bank.member set msisdn = null where member_ref = owner;
    perform bank.revoke_codes(owner, p_now);
    perform sim.forget(p_msisdn);
    perform audit.write('staff', p_by, 'number.released', owner, '{}', p_now);
    return 'released';
end
$$;

-- A member who gave their number back comes with a new one: `given`, `no_member` (unknown, or they
-- have a number) or `taken`.
create function bank.give_number(
    p_member_ref text, p_new text, p_by text, p_careful_until timestamptz, p_now timestamptz
) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    if exists (select from bank.member as m where m.msisdn = p_new) then
        return 'taken';
    end if;
    update bank.member set msisdn = p_new where member_ref = p_member_ref and msisdn is null;
    if not found then
        return 'no_member';
    end if;
    perform sim.forget(p_new);
    perform instructions.be_careful(
        p_member_ref, 'number_changed', 'careful', p_careful_until, p_now
    );
    perform audit.write('staff', p_by, 'number.given', p_member_ref, '{}', p_now);
    return 'given';
end
$$;

revoke execute on function
    bank.revoke_codes, bank.move_number, bank.release_number, bank.give_number
from public;
