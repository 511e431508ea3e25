-- Reminders: each about one instalment and one day, told at most once.
-- depends: notices-0001-outbox

-- The days whose reminders have all been told, so that nobody looks through all loans again.
create table notices.day_done (
    what text not null,
    day date not null,
    primary key (what, day)
);

-- Answers whether it was not told before.
create function notices.instalment_due(
    p_once text, p_member_ref text, p_name text, p_amount_centimos bigint, p_due_on date,
    p_late boolean, p_today boolean, p_code text, p_forgotten_at timestamptz
) returns boolean
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with told as (
        insert into notices.outbox (fact, member_ref, detail, once)
        select 'instalment_due', p_member_ref, jsonb_build_object(
            'name', p_name, 'amount_centimos', p_amount_centimos, 'due_on', p_due_on,
            'late', p_late, 'today', p_today, 'code', p_code, 'forgotten_at', p_forgotten_at
        ), p_once
        on conflict (once) where once is not null do nothing
        returning 1
    )
    select exists (select from told);
end;

create function notices.day_is_done(p_what text, p_day date) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select exists (select from notices.day_done as d where d.what = p_what and d.day = p_day);
end;

-- Whether any day was ever done.
create function notices.has_begun(p_what text) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select exists (select from notices.day_done as d where d.what = p_what);
end;

create function notices.finish_day(p_what text, p_day date) returns void
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    insert into notices.day_done (what, day) values (p_what, p_day) on conflict do nothing;
end;

revoke execute on function
    notices.instalment_due, notices.day_is_done, notices.has_begun, notices.finish_day
from public;
grant execute on function
    notices.instalment_due, notices.day_is_done, notices.has_begun, notices.finish_day
to chaski_app;
