-- Who of staff may sign in to the console, how they prove it, and for how long they stay signed in.
-- depends: audit-0001-trail

create schema staff;

-- The console's process signs in as chaski_staff, which owns nothing: it may call what
-- console-0002-grants.sql names, and touch no table. The processes that serve members have no business
-- there, and chaski_app is granted nothing of it.
do $$
begin
    if not exists (select from pg_roles where rolname = 'chaski_staff') then
        create role chaski_staff login;
    end if;
exception
    -- Roles belong to the cluster: another database's migration may create it at the same moment.
    when duplicate_object or unique_violation then null;
end
$$;

grant usage on schema staff to chaski_staff;

create table staff.person (
    -- What the audit trail calls them. Never given to somebody else: rows are not deleted.
    login text primary key check (login ~ '^[a-z][a-z0-9.-]{1,30}$'),
    role text not null check (role in ('support', 'supervisor', 'auditor', 'administrator')),
    language text not null default 'es',
    -- An argon2id hash, sealed by the pepper of this version; so is the key of the one-time codes.
    password text not null,
    pepper_version integer not null,
    -- The password was made by the house, and is good for choosing one's own.
    first_password boolean not null default true,
    totp text,
    totp_version integer,
    -- The last 30 seconds whose code was used: a code is good once.
    totp_step bigint not null default 0,
    enrolled_at timestamptz,
    created_at timestamptz not null,
    disabled_at timestamptz,
    check ((totp is null) = (totp_version is null)),
    check (enrolled_at is null or totp is not null)
);

-- For who has lost the phone with the codes: each good once, kept as a keyed hash.
create table staff.recovery_code (
    login text not null references staff.person,
    hash text not null,
    used_at timestamptz,
    primary key (login, hash)
);

create table staff.session (
    -- SHA-256 of the token in the cookie: whoever reads this table can sign in with nothing of it.
    token_hash text primary key,
    login text not null references staff.person,
    -- enrolling: may only choose a password and set the codes up.
    stage text not null check (stage in ('enrolling', 'full')),
    began_at timestamptz not null,
    seen_at timestamptz not null,
    ended_at timestamptz
);

-- All of a person's, to end them.
create index session_login on staff.session (login) where ended_at is null;
-- What is forgotten is looked for by its age.
create index session_seen on staff.session (seen_at);

-- Failed tries, by login and by address, both as keyed hashes: a password is sometimes typed where
-- the login belongs.
create table staff.failure (
    who text primary key,
    failures integer not null,
    since timestamptz not null,
    locked_until timestamptz
);

create index failure_since on staff.failure (since);

-- What takes two administrators: whatever makes or changes an administrator.
create table staff.request (
    id bigint generated always as identity primary key,
    kind text not null check (kind in ('add', 'role', 'reset')),
    login text not null,
    role text not null,
    state text not null default 'waiting' check (state in ('waiting', 'approved', 'refused')),
    asked_by text not null,
    asked_at timestamptz not null,
    decided_by text,
    decided_at timestamptz,
    check ((state = 'waiting') = (decided_by is null)),
    check ((decided_by is null) = (decided_at is null)),
    check (not audit.same_person(decided_by, asked_by))
);

-- The list of what waits, and one for a login at a time.
create unique index request_waiting on staff.request (login) where state = 'waiting';
