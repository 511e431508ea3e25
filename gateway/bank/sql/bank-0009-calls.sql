-- Those who asked to be called back, and where they were when they did.
-- depends: bank-0003-consents

create table bank.call (
    id bigint generated always as identity primary key,
    member_ref text not null,
    -- The screen that they left last (`send/amount`), never what stood on it; empty where unknown.
    doing text not null check (length(doing) <= 100),
    channel text not null,
    asked_at timestamptz not null,
    done_at timestamptz,
    done_by text,
    check ((done_at is null) = (done_by is null))
);

-- Once on the list while nobody has called; also staff's list.
create unique index call_open on bank.call (member_ref) where done_at is null;

-- Put a member on the list. Answers whether they were not on it.
create function bank.ask_call(
    p_member_ref text, p_doing text, p_channel text, p_now timestamptz
) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    asked bigint;
begin
    insert into bank.call (member_ref, doing, channel, asked_at)
    values (p_member_ref, left(p_doing, 100), p_channel, p_now)
    on conflict (member_ref) where done_at is null do nothing
    returning id into asked;
    if asked is null then
        return false;
    end if;
    perform audit.write(
        'member', p_member_ref, 'call.asked', p_member_ref,
        jsonb_build_object('call', asked, 'channel', p_channel), p_now
    );
    return true;
end
$$;

-- Staff have called. Answers whether it was open.
create function bank.call_done(p_call bigint, p_by text, p_now timestamptz) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    called text;
begin
    update bank.call as c set done_at = p_now, done_by = p_by
    where c.id = p_call and c.done_at is null
    returning c.member_ref into called;
    if called is null then
        return false;
    end if;
    perform audit.write(
        'staff', p_by, 'call.done', called, jsonb_build_object('call', p_call), p_now
    );
    return true;
end
$$;

revoke execute on function bank.ask_call, bank.call_done from public;
grant execute on function bank.ask_call to chaski_app;
