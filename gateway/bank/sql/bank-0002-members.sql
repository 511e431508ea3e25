-- Whose phone it is. The core owns the person; `member_ref` is all that the two sides share.
-- depends: bank-0001-pins

create table bank.member (
    member_ref text primary key,
    -- E.164. One phone is one member's; the unique index also serves the look-up of every dial. Null:
    -- the member gave the number back, and nobody dials for them.
    msisdn text unique check (msisdn ~ '^\+[1-9][0-9]{7,14}$'),
    -- Copied from the core when the member is registered, so that a dial needs no core.
    first_name text not null,
    short_name text not null,
    language text not null default 'es',
    -- For the programme's figures, as the core or staff say, never asked on a phone: the district by
    -- its UBIGEO code (empty: not known), and whether the member lives in the country.
    district text not null default '' check (district ~ '^([0-9]{6})?$'),
    rural boolean
);

create function bank.member_by_msisdn(p_msisdn text)
returns table (
    member_ref text, first_name text, short_name text, language text, enrolled boolean,
    district text
)
language sql stable security definer
set search_path = pg_catalog, pg_temp
begin atomic
    select
        m.member_ref,
        m.first_name,
        m.short_name,
        m.language,
        exists (select from bank.pin_credential as c where c.member_ref = m.member_ref),
        m.district
    from bank.member as m
    where m.msisdn = p_msisdn;
end;

create function bank.member_by_ref(p_member_ref text)
returns table (msisdn text, first_name text, short_name text, language text)
language sql stable security definer
set search_path = pg_catalog, pg_temp
begin atomic
    select m.msisdn, m.first_name, m.short_name, m.language
    from bank.member as m
    where m.member_ref = p_member_ref;
end;

create function bank.short_names(p_member_refs text[])
returns table (member_ref text, short_name text)
language sql stable security definer
set search_path = pg_catalog, pg_temp
begin atomic
    select m.member_ref, m.short_name from bank.member as m where m.member_ref = any(p_member_refs);
end;

create function bank.set_language(p_member_ref text, p_language text) returns void
language sql security definer
set search_path = pg_catalog, pg_temp
begin atomic
    update bank.member set language = p_language where member_ref = p_member_ref;
end;

-- For the cooperative's staff and the demo, not for the application: who may dial.
create function bank.register_member(
    p_member_ref text, p_msisdn text, p_first_name text, p_short_name text, p_language text
) returns void
language sql
begin atomic
    insert into bank.member (member_ref, msisdn, first_name, short_name, language)
    values (p_member_ref, p_msisdn, p_first_name, p_short_name, p_language)
    on conflict (member_ref) do nothing;
end;

revoke execute on all functions in schema bank from public;

grant execute on function
    bank.member_by_msisdn, bank.member_by_ref, bank.short_names, bank.set_language
to chaski_app;
