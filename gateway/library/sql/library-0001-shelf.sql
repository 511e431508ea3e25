-- The shelf: every book that was ever published, as it was written, and which one members see.
-- depends: db-0001-roles

create schema library;

grant usage on schema library to chaski_app;

-- A book is its pages. Its digest is made of them, so the same pages are always the same book.
create table library.book (
    digest text primary key check (digest ~ '^[0-9a-f]{16}$')
);

create table library.page (
    digest text not null references library.book,
    name text not null, -- below the menus' folder: send.yaml, locale/en/menus.po
    text text not null,
    primary key (digest, name)
);

-- Who made which book the one that members see, and when. The last row is the one in force: to go
-- back to an earlier book is to publish it again.
create table library.publication (
    id bigint generated always as identity primary key,
    digest text not null references library.book,
    published_at timestamptz not null default clock_timestamp(),
    published_by text not null check (published_by <> '')
);

-- A session may be reading any of them, and it must stay known what members were shown.
create function library.refuse_change() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception '%.% is append-only: % refused', tg_table_schema, tg_table_name, tg_op
        using errcode = 'restrict_violation', hint = 'Publish another book instead.';
end
$$;

create trigger book_append_only before update or delete or truncate on library.book
for each statement execute function library.refuse_change();

create trigger page_append_only before update or delete or truncate on library.page
for each statement execute function library.refuse_change();

create trigger publication_append_only before update or delete or truncate on library.publication
for each statement execute function library.refuse_change();

-- The newest publications, the one in force first.
create function library.publications(p_rows integer)
returns table (digest text, published_at timestamptz, published_by text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select p.digest, p.published_at, p.published_by
    from library.publication as p
    order by p.id desc
    limit p_rows;
end;

-- The pages of a book. No rows: it was never published here.
create function library.pages(p_digest text) returns table (name text, text text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select p.name, p.text from library.page as p where p.digest = p_digest;
end;

-- Make a book the one in force. False: it is already. For the owner, not for the application:
-- whoever may publish decides what a member reads above the PIN, so a web process may not.
create function library.publish(
    p_digest text, p_names text[], p_texts text[], p_published_by text
) returns boolean
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
    -- One publisher at a time, so that the last row is the last to commit. Readers are not held up.
    lock table library.publication in exclusive mode;
    if p_digest = (select p.digest from library.publication as p order by p.id desc limit 1) then
        return false;
    end if;
    insert into library.book (digest) values (p_digest) on conflict do nothing;
    if found then
        insert into library.page (digest, name, text)
        select p_digest, page.name, page.text
        from unnest(p_names, p_texts) as page (name, text);
    end if;
    insert into library.publication (digest, published_by) values (p_digest, p_published_by);
    return true;
end
$$;

revoke execute on all functions in schema library from public;

grant execute on function library.publications, library.pages to chaski_app;
