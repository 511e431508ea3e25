-- The demo's network: an SMS is delivered by being written here. Empty in production.
-- depends: db-0001-roles notices-0001-outbox

create table notices.simulated_sms (
    id bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    msisdn text not null,
    sender text not null,
    text text not null
);

-- One phone's inbox is read often: the handset of the demo asks for it every second.
create index simulated_sms_inbox on notices.simulated_sms (msisdn, id);

create function notices.simulated_deliver(p_msisdn text, p_sender text, p_text text) returns bigint
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    insert into notices.simulated_sms (msisdn, sender, text)
    values (p_msisdn, p_sender, p_text)
    returning id;
end;

-- The latest p_rows, oldest first, as an inbox shows them.
create function notices.simulated_inbox(p_msisdn text, p_rows integer)
returns table (at timestamptz, sender text, text text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select latest.at, latest.sender, latest.text
    from (
        select s.id, s.at, s.sender, s.text
        from notices.simulated_sms s
        where s.msisdn = p_msisdn
        order by s.id desc
        limit p_rows
    ) latest
    order by latest.id;
end;

revoke execute on function notices.simulated_deliver, notices.simulated_inbox from public;
grant execute on function notices.simulated_deliver, notices.simulated_inbox to chaski_app;
