-- Texts from members: which were heard, so that each is answered once, and how many by one phone.
-- depends: notices-0001-outbox notices-0002-drain

-- What a text said is not kept: there may be a PIN in it.
create table notices.text (
    channel text not null,
    account text not null,
    -- The provider's own name of the message, the same at each delivery.
    message_id text not null,
    msisdn text not null,
    at timestamptz not null,
    primary key (channel, account, message_id)
);

-- How many this phone has sent within the hour; and which are too old to come again.
create index text_of_phone on notices.text (msisdn, at);
create index text_at on notices.text (at);

-- fresh, repeat (it was answered before) or too_many.
create function notices.heard(
    p_channel text, p_account text, p_message_id text, p_msisdn text, p_now timestamptz,
    p_most_an_hour integer
) returns text
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select case
        when exists (
            select from notices.text as t
            where t.channel = p_channel and t.account = p_account and t.message_id = p_message_id
        ) then 'repeat'
        when (
            select count(*) from notices.text as t
            where t.msisdn = p_msisdn and t.at > p_now - interval '1 hour'
        ) >= p_most_an_hour then 'too_many'
        else 'fresh'
    end;
end;

-- The answer to a text, once: of two that come at the same time, with copies of one text, one is
-- kept. Answers whether it is this one. `p_member_ref` is empty for who is no member.
create function notices.answer(
    p_channel text, p_account text, p_message_id text, p_msisdn text, p_member_ref text,
    p_text text, p_now timestamptz, p_of_use_until timestamptz
) returns boolean
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with heard as (
        insert into notices.text (channel, account, message_id, msisdn, at)
        values (p_channel, p_account, p_message_id, p_msisdn, p_now)
        on conflict do nothing
        returning 1
    ), told as (
        insert into notices.outbox (fact, member_ref, detail)
        select 'answer', p_member_ref, jsonb_build_object(
            'text', p_text, 'msisdn', p_msisdn, 'forgotten_at', p_of_use_until
        )
        from heard
    )
    select exists (select from heard);
end;

-- Providers bring a message again for hours, not for days.
create function notices.forget_texts(p_before timestamptz, p_rows integer) returns bigint
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with gone as (
        delete from notices.text as t
        where (t.channel, t.account, t.message_id) in (
            select o.channel, o.account, o.message_id from notices.text as o
            where o.at < p_before
            order by o.at
            limit p_rows
        )
        returning 1
    )
    select count(*) from gone;
end;

revoke execute on function notices.heard, notices.answer, notices.forget_texts from public;
grant execute on function notices.heard, notices.answer, notices.forget_texts to chaski_app;
