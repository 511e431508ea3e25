-- Sums by the day: all that the figures are read from.
-- depends: programme-0001-assumptions

-- A day is summed as a whole, from what there is: doing it again comes to the same. So a late event,
-- a repeated one, a worker that died half-way and a second worker change no figure. What has to be
-- summed stands here, and goes in the transaction that sums it.
create table programme.due (
    day date primary key
);

-- Days as of which members are to be counted anew: a payment counts for the 90 days after it.
create table programme.count_due (
    as_of date primary key
);

-- Up to when the clock has brought days. Orders and messages leave no word of theirs: the days since
-- are summed again, with an hour more for who was still writing.
create table programme.looked (
    only_one boolean primary key default true check (only_one),
    until timestamptz not null
);

-- Sessions that began on a day, by what became of them.
create table programme.session_day (
    day date not null,
    channel text not null,
    network text not null,
    ended text not null, -- finished, failed, left, timed_out
    result text not null, -- done: a journey was carried out; failed: none of those begun; looked: none
    cause text not null, -- why it failed, or empty
    sessions bigint not null,
    hops bigint not null,
    seconds bigint not null,
    primary key (day, channel, network, ended, result, cause)
);

-- The same sessions by where their members live and what they speak.
create table programme.caller_day (
    day date not null,
    channel text not null,
    language text not null,
    district text not null,
    sessions bigint not null,
    primary key (day, channel, language, district)
);

-- In how many sessions a step of a journey was seen, and in how many it was the last of it.
create table programme.step_day (
    day date not null,
    channel text not null,
    journey text not null,
    step text not null, -- a slot, confirm, again; or done: the bank carried it out
    reached bigint not null,
    lost bigint not null,
    places bigint not null, -- the sum of its places: on an average it is the nth screen
    primary key (day, channel, journey, step)
);

-- What the bank was asked for and answered, money or not. How often, not how much.
create table programme.request_day (
    day date not null,
    channel text not null,
    operation text not null,
    outcome text not null,
    requests bigint not null,
    primary key (day, channel, operation, outcome)
);

-- Money orders that ended on a day, from the instructions themselves.
create table programme.order_day (
    day date not null,
    channel text not null,
    district text not null,
    operation text not null,
    state text not null,
    orders bigint not null,
    centimos bigint not null,
    primary key (day, channel, district, operation, state)
);

-- SMS that a provider took on a day.
create table programme.message_day (
    day date not null,
    notice text not null,
    sender text not null,
    messages bigint not null,
    segments bigint not null,
    primary key (day, notice, sender)
);

-- Who moved money on which day, and who was heard of: what the counts below are made of.
create table programme.active_day (
    day date not null,
    member_ref text not null,
    primary key (day, member_ref)
);
create table programme.reached_day (
    day date not null,
    member bigint not null, -- the events' hash
    district text not null,
    primary key (day, member)
);

-- Members who moved money within 30 and within 90 days, as of a day, by the register of when it was
-- counted.
create table programme.activity_day (
    as_of date not null,
    district text not null,
    rural text not null, -- yes, no, unknown
    language text not null,
    active_30 bigint not null,
    active_90 bigint not null,
    primary key (as_of, district, rural, language)
);

-- Members who dialled or wrote at all.
create table programme.reach_day (
    as_of date not null,
    district text not null,
    reached_30 bigint not null,
    reached_90 bigint not null,
    primary key (as_of, district)
);

-- Who is registered and who has a PIN: the register has no memory, so it is looked at on the day
-- itself.
create table programme.register_day (
    as_of date not null,
    district text not null,
    rural text not null,
    language text not null,
    registered bigint not null,
    enrolled bigint not null,
    primary key (as_of, district, rural, language)
);
