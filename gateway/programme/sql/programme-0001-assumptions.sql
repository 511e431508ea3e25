-- What the programme's figures assume: rows that staff set, each with its date and its source.
-- depends: bank-0010-people  audit-0001-trail

create schema programme;

grant usage on schema programme to chaski_app;

-- Where members live: INEI's six-digit UBIGEO code, and its names.
create table programme.district (
    code text primary key check (code ~ '^[0-9]{6}$'),
    name text not null check (name <> ''),
    province text not null,
    department text not null
);

-- What one visit to the agency costs a member of a district: there and back. An empty district is
-- everywhere of which nothing is said.
create table programme.travel (
    district text not null check (district ~ '^([0-9]{6})?$'),
    effective_on date not null,
    minutes integer not null check (minutes >= 0),
    centimos bigint not null check (centimos >= 0),
    source text not null,
    primary key (district, effective_on)
);

-- What we pay: millionths of a sol for one session of USSD or one SMS.
create table programme.tariff (
    what text not null check (what in ('ussd_session', 'sms_segment')),
    effective_on date not null,
    micros bigint not null check (micros >= 0),
    source text not null,
    primary key (what, effective_on)
);

-- What the programme wants to reach, and when. Shares are tenths of a percent.
create table programme.target (
    indicator text not null check (
        indicator in (
            'enrolled', 'active_30', 'active_90', 'rural_share', 'operations_30', 'session_success'
        )
    ),
    due_on date not null,
    value bigint not null check (value > 0),
    primary key (indicator, due_on)
);

-- For staff alone; each is written down, and the newer word replaces the older one of its date.

create function programme.set_travel(
    p_district text, p_effective_on date, p_minutes integer, p_centimos bigint, p_source text,
    p_by text, p_now timestamptz
) returns void
language sql volatile set search_path = pg_catalog, pg_temp
begin atomic
    insert into programme.travel
    values (p_district, p_effective_on, p_minutes, p_centimos, p_source)
    on conflict (district, effective_on) do update
    set minutes = excluded.minutes, centimos = excluded.centimos, source = excluded.source;
    select audit.write('staff', p_by, 'travel.set', null, jsonb_build_object(
        'district', p_district, 'effective_on', p_effective_on, 'minutes', p_minutes,
        'centimos', p_centimos
    ), p_now);
end;

create function programme.set_tariff(
    p_what text, p_effective_on date, p_micros bigint, p_source text, p_by text, p_now timestamptz
) returns void
language sql volatile set search_path = pg_catalog, pg_temp
begin atomic
    insert into programme.tariff values (p_what, p_effective_on, p_micros, p_source)
    on conflict (what, effective_on) do update
    set micros = excluded.micros, source = excluded.source;
    select audit.write('staff', p_by, 'tariff.set', null, jsonb_build_object(
        'what', p_what, 'effective_on', p_effective_on, 'micros', p_micros
    ), p_now);
end;

create function programme.set_target(
    p_indicator text, p_due_on date, p_value bigint, p_by text, p_now timestamptz
) returns void
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    insert into programme.target values (p_indicator, p_due_on, p_value)
    on conflict (indicator, due_on) do update set value = excluded.value;
    select audit.write('staff', p_by, 'target.set', null, jsonb_build_object(
        'indicator', p_indicator, 'due_on', p_due_on, 'value', p_value
    ), p_now);
end;

-- Answers whether it was there.
create function programme.drop_target(
    p_indicator text, p_due_on date, p_by text, p_now timestamptz
) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
    delete from programme.target where indicator = p_indicator and due_on = p_due_on;
    if not found then
        return false;
    end if;
    perform audit.write('staff', p_by, 'target.dropped', null, jsonb_build_object(
        'indicator', p_indicator, 'due_on', p_due_on
    ), p_now);
    return true;
end
$$;

create function programme.name_districts(
    p_codes text[], p_names text[], p_provinces text[], p_departments text[],
    p_by text, p_now timestamptz
) returns void
language sql volatile set search_path = pg_catalog, pg_temp
begin atomic
    insert into programme.district
    select * from unnest(p_codes, p_names, p_provinces, p_departments)
    on conflict (code) do update
    set name = excluded.name, province = excluded.province, department = excluded.department;
    select audit.write('staff', p_by, 'districts.named', null, jsonb_build_object(
        'districts', cardinality(p_codes)
    ), p_now);
end;

-- Where members live, as the core's register says: a row each. Who is not registered here is left
-- out. Answers how many were changed; each is written down. The figures are then summed anew, since
-- they are by today's register.
create function programme.place_members(
    p_refs text[], p_districts text[], p_rural boolean[], p_by text, p_now timestamptz
) returns bigint
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
    changed bigint;
begin
    with placed as (
        update bank.member as m set district = p.district, rural = p.rural
        from unnest(p_refs, p_districts, p_rural) as p (ref, district, rural)
        where m.member_ref = p.ref
            and (m.district, m.rural) is distinct from (p.district, p.rural)
        returning m.member_ref, m.district
    ), written as (
        select audit.write(
            'staff', p_by, 'member.placed', member_ref, jsonb_build_object('district', district),
            p_now
        )
        from placed
    )
    select count(*) into changed from written;
    if changed > 0 then
        perform programme.recount();
    end if;
    return changed;
end
$$;

revoke execute on all functions in schema programme from public;
