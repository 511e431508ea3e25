-- An order of ours of which the core has just let us know: it is asked about at the next sweep, not
-- when its wait is over. The hint itself proves nothing, so it settles nothing.
-- depends: core-news-0001-hints

-- Whoever is asking about it now is about to hear it from the core. Answers whether it was open.
create function core_news.wake(p_key uuid, p_now timestamptz) returns boolean
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with woken as (
        update instructions.instruction as i set next_try_at = least(i.next_try_at, p_now)
        where i.key = p_key and i.state in ('accepted', 'unknown')
        returning 1
    )
    select exists (select from woken);
end;

revoke execute on function core_news.wake from public;
grant execute on function core_news.wake to chaski_app;
