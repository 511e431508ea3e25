-- One SMS to a member whose session was lost before the end: what was left, and how to go on.
-- depends: notices-0001-outbox notices-0002-drain

-- Answers whether it will be sent. `p_session` names the session, the same for whoever finds it
-- abandoned; `p_forgotten_at` is when the message has become useless.
create function notices.left_unfinished(
    p_session text, p_member_ref text, p_what text, p_code text, p_forgotten_at timestamptz,
    p_quiet_s double precision
) returns boolean
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with told as (
        insert into notices.outbox (fact, member_ref, detail, once)
        select 'left_unfinished', p_member_ref, jsonb_build_object(
            'what', p_what, 'code', p_code, 'forgotten_at', p_forgotten_at
        ), p_session
        where not exists (
            select from notices.outbox as o
            where o.member_ref = p_member_ref and o.once is not null
                and o.created_at > now() - make_interval(secs => p_quiet_s)
        )
        on conflict (once) where once is not null do nothing
        returning 1
    )
    select exists (select from told);
end;

revoke execute on function notices.left_unfinished from public;
grant execute on function notices.left_unfinished to chaski_app;
