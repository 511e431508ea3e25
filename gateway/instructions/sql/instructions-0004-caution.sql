-- For how long less, or nothing, may be moved for a member: after a new PIN, a new SIM card, a new
-- number. The limits read it in the transaction of the order.
-- depends: instructions-0003-reading  audit-0001-trail

create table instructions.caution (
    id bigint generated always as identity primary key,
    member_ref text not null,
    reason text not null check (
        reason in ('pin_changed', 'sim_changed', 'sim_unknown', 'number_changed', 'frozen')
    ),
    -- careful: the lower limits hold; look_only: no money leaves.
    level text not null check (level in ('careful', 'look_only')),
    since timestamptz not null,
    -- Null: until staff have seen the member.
    until timestamptz,
    lifted_at timestamptz,
    lifted_by text,
    check ((lifted_at is null) = (lifted_by is null))
);

-- One at a time for a reason, and found at every order.
create unique index caution_open on instructions.caution (member_ref, reason)
where lifted_at is null;

-- Begin, or begin anew: what is newer counts. Waits for the member's orders that are being judged,
-- so that whoever is told of it may rely on it: no order is taken afterwards.
create function instructions.be_careful(
    p_member_ref text, p_reason text, p_level text, p_until timestamptz, p_now timestamptz
) returns void
language sql volatile set search_path = pg_catalog, pg_temp
begin atomic
    select pg_advisory_xact_lock(hashtextextended('instructions.member ' || p_member_ref, 0));

    with begun as (
        insert into instructions.caution as c (member_ref, reason, level, since, until)
        values (p_member_ref, p_reason, p_level, p_now, p_until)
        on conflict (member_ref, reason) where lifted_at is null do update
        set level = excluded.level, since = excluded.since, until = excluded.until
        returning id
    )
    select audit.write(
        'system', 'caution', 'caution.begun', p_member_ref,
        jsonb_build_object('caution', b.id, 'reason', p_reason, 'level', p_level, 'until', p_until),
        p_now
    )
    from begun as b;
end;

-- Staff have seen the member. Answers whether there was anything to lift.
create function instructions.trust_again(
    p_member_ref text, p_reason text, p_by text, p_now timestamptz
) returns boolean
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with lifted as (
        update instructions.caution set lifted_at = p_now, lifted_by = p_by
        where member_ref = p_member_ref and reason = p_reason and lifted_at is null
        returning id
    ),

    written as (
        select audit.write(
            'staff', p_by, 'caution.lifted', p_member_ref,
            jsonb_build_object('caution', l.id, 'reason', p_reason), p_now
        )
        from lifted as l
    )

    select exists (select from written);
end;

-- normal, careful or look_only: the strictest that holds now. In plpgsql, whose plans a connection
-- keeps: every order asks.
create function instructions.level(p_member_ref text, p_now timestamptz) returns text
language plpgsql stable
as $$
begin
    return coalesce(max(c.level), 'normal')  -- in the alphabet look_only comes after careful
    from instructions.caution as c
    where c.member_ref = p_member_ref and c.lifted_at is null
        and (c.until is null or c.until > p_now);
end
$$;

revoke execute on function
    instructions.be_careful, instructions.trust_again, instructions.level
from public;
